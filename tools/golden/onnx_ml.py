"""Models of scikit-learn and quantised models, with ONNX Runtime's results, in the form of ONNX's node tests:
tests/compat/onnx/{ml,quant}_NAME/{model.onnx, test_data_set_0/*.pb}.

    pip install onnx onnxruntime scikit-learn skl2onnx torch
    python tools/golden/onnx_ml.py [OUT]   # default: tests/compat/onnx
"""

import os
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../tests/compat/onnx")


def freeze(name, model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: x})
    folder = os.path.join(OUT, name, "test_data_set_0")
    os.makedirs(folder, exist_ok=True)
    onnx.save(model, os.path.join(OUT, name, "model.onnx"))
    for kind, arrays in (("input", [x]), ("output", outputs)):
        for i, a in enumerate(arrays):
            with open(os.path.join(folder, f"{kind}_{i}.pb"), "wb") as f:
                f.write(numpy_helper.from_array(np.asarray(a)).SerializeToString())
    print(name, [np.asarray(o).shape for o in outputs])


def scikit():
    from skl2onnx import to_onnx
    from sklearn import decomposition, discriminant_analysis, ensemble, feature_selection, impute, linear_model, multiclass, naive_bayes, neighbors, neural_network, preprocessing, svm, tree
    from sklearn.datasets import load_diabetes, load_iris
    from sklearn.pipeline import make_pipeline as pipe

    x, y = load_iris(return_X_y=True)
    r, t = load_diabetes(return_X_y=True)
    x, r = x.astype(np.float32), r.astype(np.float32)
    holes = x.copy()
    holes[np.random.default_rng(0).random(x.shape) < 0.2] = np.nan
    whole = np.round(x).astype(np.int64)
    some = np.arange(0, 150, 21)  # of all classes
    P, S = preprocessing, svm
    classifiers = {
        "logistic": linear_model.LogisticRegression(max_iter=500), "svc_rbf": S.SVC(C=0.05), "svc_linear": S.SVC(kernel="linear", C=0.01),
        "forest": ensemble.RandomForestClassifier(4, max_depth=3, random_state=0), "boosting": ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0),
        "naive_bayes": naive_bayes.GaussianNB(), "lda": discriminant_analysis.LinearDiscriminantAnalysis(),
        "one_against_rest": multiclass.OneVsRestClassifier(linear_model.LogisticRegression()),
        "perceptron": pipe(P.StandardScaler(), neural_network.MLPClassifier((6,), max_iter=300, random_state=0)),
        "selected": pipe(feature_selection.SelectKBest(k=2), linear_model.LogisticRegression()),
    }
    binary = {"logistic_two": linear_model.LogisticRegression(), "svc_two": S.SVC(kernel="poly", C=0.05), "forest_two": ensemble.RandomForestClassifier(3, max_depth=3, random_state=1),
              "boosting_two": ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0)}
    regressors = {"linear": linear_model.LinearRegression(), "svr_sigmoid": S.NuSVR(kernel="sigmoid", nu=0.05), "tree": tree.DecisionTreeRegressor(max_depth=3, random_state=0),
                  "forest_mean": ensemble.RandomForestRegressor(3, max_depth=3, random_state=0), "boosting_mean": ensemble.GradientBoostingRegressor(n_estimators=3, random_state=0)}
    transformers = {"scaled_pca": (pipe(P.StandardScaler(), decomposition.PCA(2)), x), "imputed_normed": (pipe(impute.SimpleImputer(), P.MinMaxScaler(), P.Normalizer("l1")), holes),
                    "robust_binary": (pipe(P.RobustScaler(), P.Binarizer(threshold=0.2)), x), "one_hot": (P.OneHotEncoder(handle_unknown="ignore", sparse_output=False), whole),
                    "ordinal": (P.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), whole), "bins": (P.KBinsDiscretizer(3, encode="onehot-dense", quantile_method="averaged_inverted_cdf"), x)}

    def save(name, model, data):
        options = {"zipmap": False} if hasattr(model, "classes_") else None
        freeze("ml_" + name, to_onnx(model, data[:1], options=options), data[some])

    for name, m in classifiers.items():
        save(name, m.fit(x, y), x)
    for name, m in binary.items():
        save(name, m.fit(x, y > 0), x)
    for name, m in regressors.items():
        save(name, m.fit(r, t), r)
    for name, (m, data) in transformers.items():
        save(name, m.fit(data), data)
    save("neighbours", neighbors.KNeighborsRegressor(3, weights="distance").fit(x[::7], y[::7]), x + 0.01)
    save("svc_probable", S.SVC(probability=True, random_state=0, C=0.05).fit(x, y), x)


def quantised():
    import torch
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
    from torch import nn

    torch.manual_seed(0)
    rng = np.random.default_rng(0)

    class Samples(CalibrationDataReader):
        def __init__(self, shape):
            self.it = iter([{"x": rng.standard_normal(shape).astype(np.float32)} for _ in range(8)])

        def get_next(self):
            return next(self.it, None)

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1), nn.Linear(7, 5)

        def forward(self, x):
            y = torch.relu(self.a(x)) * x + x
            z = torch.cat([torch.sigmoid(self.b(y)), nn.functional.leaky_relu(y, 0.1)], 1)
            return torch.softmax(self.c(nn.functional.avg_pool2d(z, 2).mean(dim=(2, 3))), -1)

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.l, self.o = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 3)

        def forward(self, x):
            return self.o(self.l(x)[0][:, -1])

    for name, model, shape in (("cnn", Two(), (2, 3, 8, 8)), ("lstm", Recurrent(), (2, 5, 6))):
        with tempfile.TemporaryDirectory() as d:
            real, q, x = os.path.join(d, "r.onnx"), os.path.join(d, "q.onnx"), torch.randn(shape)
            torch.onnx.export(model.eval(), x, real, opset_version=17, input_names=["x"], dynamic_axes={"x": {0: "n"}}, dynamo=False)
            s8 = {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8}
            # Left out for a difference of one step of 8 bits: ONNX Runtime computes the CNN's "qdq" in integers, and rounds the state of
            # the LSTM's "dynamic" in every step.
            for tag, kw in (("qdq", {"quant_format": QuantFormat.QDQ, "per_channel": True, **s8}), ("qdq16", {"quant_format": QuantFormat.QDQ, "activation_type": QuantType.QUInt16}),
                            ("operators", {"quant_format": QuantFormat.QOperator})):
                if (name, tag) != ("cnn", "qdq"):
                    quantize_static(real, q, Samples(shape), **kw)
                    freeze(f"quant_{name}_{tag}", onnx.load(q), x.numpy())
            if name == "cnn":
                quantize_dynamic(real, q)
                freeze(f"quant_{name}_dynamic", onnx.load(q), x.numpy())


if __name__ == "__main__":
    scikit()
    quantised()
