#include "io/plot/layout.h"

#include <algorithm>
#include <numeric>

namespace glia::io::plot {

namespace {

constexpr int kSweeps = 8;

class Layers {
 public:
  Layers(const std::vector<Size>& boxes, const std::vector<Arrow>& arrows, double gap) : size_(boxes), gap_(gap) {
    assign_ranks(arrows);
    split_long_arrows(arrows);
    order();
    place();
  }

  std::vector<Size> size_;  // boxes, then bends
  std::vector<int> rank_;
  std::vector<std::vector<int>> members_;  // of each rank, from left to right
  std::vector<std::vector<int>> chain_;    // of each arrow: box, bends, box
  std::vector<double> x_;

 private:
  // Boxes come in topological order; an arrow back (a shared layer called on its own result) takes no part in the
  // ranks.
  static bool forward(const Arrow& a) { return a.from < a.to; }

  void assign_ranks(const std::vector<Arrow>& arrows) {
    rank_.assign(size_.size(), 0);
    for (bool again = true; again;) {
      again = false;
      for (const Arrow& a : arrows)
        if (forward(a) && rank_[static_cast<size_t>(a.to)] <= rank_[static_cast<size_t>(a.from)])
          rank_[static_cast<size_t>(a.to)] = rank_[static_cast<size_t>(a.from)] + 1, again = true;
    }
    // A box without inputs moves down to the first that reads it.
    std::vector<int> lowest(size_.size(), -1);
    std::vector<bool> has_input(size_.size());
    for (const Arrow& a : arrows) {
      if (!forward(a)) continue;
      int& low = lowest[static_cast<size_t>(a.from)];
      low = low < 0 ? rank_[static_cast<size_t>(a.to)] : std::min(low, rank_[static_cast<size_t>(a.to)]);
      has_input[static_cast<size_t>(a.to)] = true;
    }
    for (size_t i = 0; i < size_.size(); ++i)
      if (!has_input[i] && lowest[i] > 0) rank_[i] = lowest[i] - 1;
  }

  void split_long_arrows(const std::vector<Arrow>& arrows) {
    int ranks = 0;
    for (int r : rank_) ranks = std::max(ranks, r + 1);
    members_.resize(static_cast<size_t>(ranks));
    for (size_t i = 0; i < rank_.size(); ++i) members_[static_cast<size_t>(rank_[i])].push_back(static_cast<int>(i));
    for (const Arrow& a : arrows) {
      std::vector<int> chain{a.from};
      for (int r = rank_[static_cast<size_t>(a.from)] + 1; r < rank_[static_cast<size_t>(a.to)]; ++r) {
        const int bend = static_cast<int>(size_.size());
        size_.push_back({8, 0});
        rank_.push_back(r);
        members_[static_cast<size_t>(r)].push_back(bend);
        chain.push_back(bend);
      }
      chain.push_back(a.to);
      chain_.push_back(std::move(chain));
    }
    above_.resize(size_.size());
    below_.resize(size_.size());
    for (const auto& chain : chain_)
      for (size_t i = 1; i < chain.size(); ++i) {
        above_[static_cast<size_t>(chain[i])].push_back(chain[i - 1]);
        below_[static_cast<size_t>(chain[i - 1])].push_back(chain[i]);
      }
  }

  double mean(const std::vector<int>& neighbours, const std::vector<double>& at, double otherwise) const {
    if (neighbours.empty()) return otherwise;
    double sum = 0;
    for (int n : neighbours) sum += at[static_cast<size_t>(n)];
    return sum / static_cast<double>(neighbours.size());
  }

  void order() {
    std::vector<double> at(size_.size());
    const auto number = [&](const std::vector<int>& rank) {
      for (size_t i = 0; i < rank.size(); ++i)
        at[static_cast<size_t>(rank[i])] = static_cast<double>(i) - static_cast<double>(rank.size() - 1) / 2;
    };
    for (const auto& rank : members_) number(rank);
    const auto sort_rank = [&](std::vector<int>& rank, const std::vector<std::vector<int>>& neighbours) {
      std::vector<double> key(size_.size());
      for (int i : rank)
        key[static_cast<size_t>(i)] = mean(neighbours[static_cast<size_t>(i)], at, at[static_cast<size_t>(i)]);
      std::stable_sort(rank.begin(), rank.end(),
                       [&](int a, int b) { return key[static_cast<size_t>(a)] < key[static_cast<size_t>(b)]; });
      number(rank);
    };
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      if (sweep % 2 == 0)
        for (auto& rank : members_) sort_rank(rank, above_);
      else
        for (auto rank = members_.rbegin(); rank != members_.rend(); ++rank) sort_rank(*rank, below_);
    }
  }

  // Side by side first; then each rank slides towards its neighbours' means, kept in order and apart.
  void place() {
    x_.assign(size_.size(), 0);
    for (const auto& rank : members_) {
      double x = 0;
      for (int i : rank) x_[static_cast<size_t>(i)] = x + width(i) / 2, x += width(i) + gap_;
      for (int i : rank) x_[static_cast<size_t>(i)] -= (x - gap_) / 2;
    }
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      if (sweep % 2 == 0)
        for (auto& rank : members_) settle(rank, above_);
      else
        for (auto rank = members_.rbegin(); rank != members_.rend(); ++rank) settle(*rank, below_);
    }
  }
  void settle(const std::vector<int>& rank, const std::vector<std::vector<int>>& neighbours) {
    std::vector<double> left(rank.size()), right(rank.size()), wanted(rank.size());
    for (size_t k = 0; k < rank.size(); ++k)
      wanted[k] = mean(neighbours[static_cast<size_t>(rank[k])], x_, x_[static_cast<size_t>(rank[k])]);
    const auto apart = [&](size_t k) { return (width(rank[k - 1]) + width(rank[k])) / 2 + gap_; };
    left = right = wanted;
    for (size_t k = 1; k < rank.size(); ++k) left[k] = std::max(left[k], left[k - 1] + apart(k));
    for (size_t k = rank.size() - 1; k-- > 0;) right[k] = std::min(right[k], right[k + 1] - apart(k + 1));
    for (size_t k = 0; k < rank.size(); ++k) x_[static_cast<size_t>(rank[k])] = (left[k] + right[k]) / 2;
  }
  double width(int i) const { return size_[static_cast<size_t>(i)].width; }

  double gap_;
  std::vector<std::vector<int>> above_, below_;
};

}  // namespace

Layout layered(const std::vector<Size>& boxes, const std::vector<Arrow>& arrows, double gap, double rank_gap) {
  Layout r;
  if (boxes.empty()) return r;
  const Layers l(boxes, arrows, gap);
  std::vector<double> y;
  for (const auto& rank : l.members_) {
    double tallest = 0;
    for (int i : rank) tallest = std::max(tallest, l.size_[static_cast<size_t>(i)].height);
    y.push_back(r.height + tallest / 2);
    r.height += tallest + rank_gap;
  }
  r.height -= rank_gap;
  double left = 1e300, right = -1e300;
  for (size_t i = 0; i < l.x_.size(); ++i) {
    left = std::min(left, l.x_[i] - l.size_[i].width / 2);
    right = std::max(right, l.x_[i] + l.size_[i].width / 2);
  }
  r.width = right - left;
  for (size_t i = 0; i < boxes.size(); ++i) r.centre.push_back({l.x_[i] - left, y[static_cast<size_t>(l.rank_[i])]});
  for (const auto& chain : l.chain_) {
    std::vector<Point> path;
    if (chain.front() >= chain.back()) {  // back: out of the right side, in at the right side
      for (int i : {chain.front(), chain.back()}) {
        const size_t k = static_cast<size_t>(i);
        path.push_back(
            {l.x_[k] - left + l.size_[k].width / 2,
             y[static_cast<size_t>(l.rank_[k])] + (path.empty() ? l.size_[k].height / 4 : -l.size_[k].height / 4)});
      }
      r.path.push_back(std::move(path));
      continue;
    }
    const size_t last = chain.size() - 1;
    for (size_t k = 0; k <= last; ++k) {
      const size_t i = static_cast<size_t>(chain[k]);
      const double half = l.size_[i].height / 2;
      path.push_back({l.x_[i] - left, y[static_cast<size_t>(l.rank_[i])] + (k == 0 ? half : k == last ? -half : 0)});
    }
    r.path.push_back(std::move(path));
  }
  return r;
}

}  // namespace glia::io::plot
