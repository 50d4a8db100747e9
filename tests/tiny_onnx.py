"""A model without training or tensorflow: the brighter an image, the more it is said to be male."""

import pytest

from maskgen.train.spec import MEMBER, ModelSpec

SPEC = ModelSpec(("female", "male"), 32, "face", 0.25, None, None, "tiny-cnn")


def write_bright(path, spec=SPEC):
    """Write it as `maskgen export` would; returns the path."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceMean", ["rgb"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Div", ["mean", "most"], ["share"]),
        helper.make_node("Unsqueeze", ["share", "last"], ["male"]),
        helper.make_node("Sub", ["one", "male"], ["female"]),
        helper.make_node("Concat", ["female", "male"], ["classes"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("rgb", kind, [None, spec.size, spec.size, 3])],
        [helper.make_tensor_value_info("classes", kind, [None, 2])],
        [
            helper.make_tensor("most", kind, [], [255.0]),
            helper.make_tensor("one", kind, [], [1.0]),
            helper.make_tensor("last", onnx.TensorProto.INT64, [1], [1]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    entry = model.metadata_props.add()
    entry.key, entry.value = MEMBER, spec.to_json()
    path.write_bytes(model.SerializeToString())
    return path
