"""The numbers of the file format against the schema that TensorFlow carries."""

import re

import numpy as np
import pytest

from edge_mnist import tflite_schema
from edge_mnist.inspection import inspect_model
from edge_mnist.tflite_file import TfliteFile

schema = pytest.importorskip("tensorflow.lite.python.schema_py_generated", exc_type=ImportError)
tf = pytest.importorskip("tensorflow")
tf_keras = pytest.importorskip("tf_keras")
pytestmark = pytest.mark.train


def names_of(numbers):
    """Return the names of an enumeration, by number."""
    return {number: name for name, number in vars(numbers).items() if isinstance(number, int)}


def test_operators_have_the_schemas_numbers():
    names = names_of(schema.BuiltinOperator)
    known = dict(enumerate(tflite_schema.OPERATORS))
    assert known == {**known, **names}


def test_types_have_the_schemas_numbers():
    names = names_of(schema.TensorType)
    known = {number: name.upper() for number, (name, _) in enumerate(tflite_schema.TENSOR_TYPES)}
    assert known == {**known, **names}
    for name, bits in tflite_schema.TENSOR_TYPES:
        assert (
            bits == 0
            or bits < 8
            or "float8" in name
            or name == "bfloat16"
            or (np.dtype(name).itemsize * 8 == bits)
        )


@pytest.mark.parametrize(
    ("fields", "table"),
    [
        (tflite_schema.ModelField, schema.ModelT),
        (tflite_schema.OperatorCodeField, schema.OperatorCodeT),
        (tflite_schema.SubgraphField, schema.SubGraphT),
        (tflite_schema.TensorField, schema.TensorT),
        (tflite_schema.QuantizationField, schema.QuantizationParametersT),
        (tflite_schema.BufferField, schema.BufferT),
        (tflite_schema.MetadataField, schema.MetadataT),
        (tflite_schema.SparsityField, schema.SparsityParametersT),
        (tflite_schema.DimensionField, schema.DimensionMetadataT),
    ],
)
def test_fields_stand_where_the_schema_has_them(fields, table):
    order = list(vars(table()))
    ours = {name: number for name, number in vars(fields).items() if isinstance(number, int)}
    renamed = {
        "SIGNATURES": "SIGNATUREDEFS",
        "DEPRECATED_BUILTIN": "DEPRECATEDBUILTINCODE",
        "CUSTOM_NAME": "CUSTOMCODE",
        "BUILTIN": "BUILTINCODE",
        "CONTENT": "DATA",
    }
    for name, number in ours.items():
        assert order[number].upper() == renamed.get(name, name.replace("_", "")), name


def convert(model):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    return converter.convert()


def check_against_schema(content):
    """What is read is what TensorFlow's own reader of the format reads."""
    found, file = inspect_model(content), TfliteFile(content)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    assert sum(found.parts.values()) == len(content)
    assert found.description == model.description.decode()
    assert len(found.graphs) == len(model.subgraphs)
    names = names_of(schema.BuiltinOperator)
    for graph, told in zip(file.graphs, model.subgraphs, strict=True):
        assert graph.inputs == told.inputs.tolist()
        assert graph.outputs == told.outputs.tolist()
        kinds = [model.operatorCodes[op.opcodeIndex] for op in told.operators]
        assert [op.kind for op in graph.operators] == [
            kind.customCode.decode() if kind.customCode else names[kind.builtinCode]
            for kind in kinds
        ]
        for operator, other in zip(graph.operators, told.operators, strict=True):
            assert operator.inputs == other.inputs.tolist()
            assert operator.outputs == other.outputs.tolist()
        for tensor, other in zip(graph.tensors, told.tensors, strict=True):
            assert tensor.name == other.name.decode()
            assert tensor.shape == ([] if other.shape is None else list(other.shape))
            assert tensor.is_variable == other.isVariable
            held = model.buffers[other.buffer].data
            assert (tensor.buffer is not None) == (held is not None and len(held) > 0)
            if tensor.buffer is not None:
                assert file.read_constant(tensor).tobytes() == bytes(held)
    return found


def test_model_with_two_inputs_an_embedding_and_a_memory():
    layers = tf_keras.layers
    words = tf_keras.Input((5,), batch_size=1, dtype=tf.int32)
    figures = tf_keras.Input((7,), batch_size=1)
    recalled = layers.LSTM(6)(layers.Embedding(50, 8)(words))
    joined = layers.Concatenate()([recalled, layers.Dense(4)(figures)])
    outputs = [layers.Dense(3)(joined), layers.Dense(1)(joined)]
    model = tf_keras.Model([words, figures], outputs)
    found = check_against_schema(convert(model))
    (graph,) = found.graphs
    assert graph.uncounted == ["UNIDIRECTIONAL_SEQUENCE_LSTM"]
    assert graph.multiply_adds == 7 * 4 + 10 * 3 + 10 * 1
    # Of the four gates' biases three are the same zeros, held once; dense ones are left out.
    assert graph.parameters == 50 * 8 + 4 * 6 * (8 + 6) + 2 * 6 + 28 + 30 + 10
    assert found.number_format == "float32"
    roles = [tensor.role for tensor in graph.tensors]
    assert (roles.count("input"), roles.count("output"), roles.count("variable")) == (2, 2, 2)
    assert all(found.parts[part] > 0 for part in ("names", "metadata", "signatures"))
    names = sum(len(tensor.name) for tensor in graph.tensors)
    assert names < found.parts["names"] < names + 6 * len(graph.tensors) + 40


def test_model_with_graphs_that_others_call():
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def double(start):
        body = lambda i, value: (i + 1, value * 2.0)  # noqa: E731
        return tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), start])[1]

    concrete = [double.get_concrete_function()]
    content = tf.lite.TFLiteConverter.from_concrete_functions(concrete).convert()
    found = check_against_schema(content)
    assert [graph.uncounted for graph in found.graphs] == [["WHILE"], [], []]
    source = found.graphs[0].tensors[found.graphs[0].inputs[0]]
    assert (source.shape, source.shape_signature) == ([1, 4], [-1, 4])


def test_what_the_body_of_a_loop_has_learned_counts():
    kernel = tf.Variable(np.random.default_rng(1).random((4, 4)), dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32)])
    def walk(start):
        body = lambda i, value: (i + 1, tf.matmul(value, kernel))  # noqa: E731
        return tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), start])[1]

    concrete = [walk.get_concrete_function()]
    found = inspect_model(tf.lite.TFLiteConverter.from_concrete_functions(concrete).convert())
    assert (found.parameters, found.graphs[0].parameters) == (16, 0)


def test_weights_without_their_zeros_take_what_they_take_in_the_file():
    # Blocks of four as the engine's kernels for sparse weights take them.
    is_held = (np.random.default_rng(1).random((16, 64)) < 0.1).repeat(4, axis=0)
    kernel = is_held.astype(np.float32)
    dense = tf_keras.layers.Dense(64, use_bias=False)
    model = tf_keras.Sequential([tf_keras.Input((64,), batch_size=1), dense])
    dense.set_weights([kernel])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    content = converter.convert()
    found = inspect_model(content)
    (operator,) = found.graphs[0].operators
    assert operator.weight_bytes == 4 * np.count_nonzero(kernel)
    assert operator.weight_bytes < found.parts["weights"] < len(content)
    assert found.parts["padding"] < 100
    assert operator.parameters == kernel.size


def test_model_with_an_operator_of_somebodys_own():
    model = tf_keras.Sequential([tf_keras.Input((8,)), tf_keras.layers.Dense(4)])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    content = converter.convert()
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    tree.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    tree.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    tree.operatorCodes[0].customCode = b"MyOwnDense"
    flatbuffers = pytest.importorskip("flatbuffers")
    builder = flatbuffers.Builder(len(content))
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    found = check_against_schema(bytes(builder.Output()))
    (operator,) = found.graphs[0].operators
    assert (operator.kind, operator.is_custom) == ("MyOwnDense", True)
    assert operator.multiply_adds is None
    assert found.graphs[0].uncounted == ["MyOwnDense"]
    assert re.fullmatch("myowndense_1", operator.layer)


def test_float16_model_tells_its_weights_as_they_stand_in_the_file():
    image = tf_keras.Input((8, 8, 3))
    made = tf_keras.layers.Conv2DTranspose(4, 3, strides=2)(image)
    converter = tf.lite.TFLiteConverter.from_keras_model(tf_keras.Model(image, made))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    found = check_against_schema(converter.convert())
    assert found.number_format == "float16"
    (graph,) = found.graphs
    assert graph.multiply_adds == 8 * 8 * 4 * 3 * 3 * 3
    assert graph.parameters == 4 * 3 * 3 * 3
    assert sum(operator.weight_bytes for operator in graph.operators) >= 2 * graph.parameters
