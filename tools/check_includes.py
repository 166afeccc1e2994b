#!/usr/bin/env python3
"""Holds the include directions of src/ (docs/design, HOUSE section 3): a room includes only rooms below it.

    base <- {tensor, kernels}, tensor <- ir, {ir, kernels} <- ops <- {grad, passes, plan} <- runtime <- nn
    <- train <- {data, io} <- cli

io/file, the layer under every reader and writer, is a room of its own: it stands on base, and data and io stand on it.

Also: every quoted include in src/ names an existing file with its room, public headers include only public headers,
and headers have #pragma once. Prints one line per violation and exits 1 when there is any.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Room -> rooms directly below it; what lies below those is included as well.
BELOW = {
    "base": [],
    "tensor": ["base"],
    "kernels": ["base"],
    "ir": ["tensor"],
    "ops": ["ir", "kernels"],
    "grad": ["ops"],
    "passes": ["ops"],
    "plan": ["ops"],
    "runtime": ["grad", "passes", "plan"],
    "nn": ["runtime"],
    "train": ["nn"],
    "io/file": ["base"],
    "data": ["train", "io/file"],
    "io": ["train", "data", "io/file"],
    "cli": ["io", "data"],
}
# Public headers that low rooms may use; rooms not named here may use any.
PUBLIC = {"base": {"error.h"}, "io/file": {"error.h", "load_options.h"}, "kernels": {"error.h"}, "tensor": {"error.h", "string_tensor.h", "tensor.h"}}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<(glia/[^>]+)>)', re.M)


def closure(room):
    seen, todo = {room}, [room]
    while todo:
        for low in BELOW[todo.pop()]:
            if low not in seen:
                seen.add(low)
                todo.append(low)
    return seen


def room_of(rel):
    deep = "/".join(rel.parts[:2])
    return deep if deep in BELOW else rel.parts[0]


def check_source(path, problems):
    rel = path.relative_to(ROOT / "src")
    room = room_of(rel)
    if room not in BELOW:
        problems.append(f"src/{rel}: unknown room '{room}'; add it to tools/check_includes.py")
        return
    allowed = closure(room)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".h" and "#pragma once" not in text:
        problems.append(f"src/{rel}: header without #pragma once")
    is_test = path.stem.endswith("_test") or "<gtest/gtest.h>" in text  # tests and their helpers
    for quoted, public in INCLUDE.findall(text):
        if public:
            name = public.removeprefix("glia/")
            if room in PUBLIC and name not in PUBLIC[room] and not is_test:
                problems.append(f"src/{rel}: room '{room}' may not include <{public}>")
            continue
        target = room_of(pathlib.PurePosixPath(quoted))
        if is_test and (ROOT / "tests" / quoted).exists():
            continue  # helpers shared by tests
        if target not in BELOW:
            problems.append(f'src/{rel}: #include "{quoted}": write the path from src/, e.g. "{room}/{quoted}"')
        elif target not in allowed and not is_test:  # a test may run what it tests through the rooms above
            problems.append(f'src/{rel}: room \'{room}\' may not include "{quoted}" (upwards)')
        elif not (ROOT / "src" / quoted).exists():
            problems.append(f'src/{rel}: #include "{quoted}": no such file')


def check_public(path, problems):
    text = path.read_text(encoding="utf-8")
    rel = path.relative_to(ROOT)
    if "#pragma once" not in text:
        problems.append(f"{rel}: header without #pragma once")
    for quoted, public in INCLUDE.findall(text):
        if quoted:
            problems.append(f'{rel}: #include "{quoted}": a public header includes only <glia/...> and <...>')
        elif not (ROOT / "include" / public).exists():
            problems.append(f"{rel}: #include <{public}>: no such file")


def main():
    problems = []
    sources = sorted(p for p in (ROOT / "src").rglob("*") if p.suffix in (".h", ".cpp"))
    for path in sources:
        check_source(path, problems)
    headers = sorted((ROOT / "include").rglob("*.h"))
    for path in headers:
        check_public(path, problems)
    for line in problems:
        print(line)
    print(f"check_includes: {len(sources)} sources, {len(headers)} public headers, {len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
