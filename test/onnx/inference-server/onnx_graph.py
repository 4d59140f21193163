"""An MLServer runtime that serves an ONNX file as it is: its own names, types and shapes, as Triton's onnxruntime backend does."""
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse, MetadataModelResponse, MetadataTensor

DATATYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64", "tensor(int32)": "INT32", "tensor(uint8)": "UINT8", "tensor(bool)": "BOOL"}


def described(value) -> MetadataTensor:
    shape = [dim if isinstance(dim, int) else -1 for dim in value.shape]
    return MetadataTensor(name=value.name, datatype=DATATYPES[value.type], shape=shape)


class OnnxGraph(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        return True

    async def metadata(self) -> MetadataModelResponse:
        return MetadataModelResponse(
            name=self.name,
            versions=[self.version] if self.version else [],
            platform="onnxruntime_onnx",
            inputs=[described(value) for value in self.session.get_inputs()],
            outputs=[described(value) for value in self.session.get_outputs()],
        )

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {given.name: NumpyCodec.decode_input(given).reshape(given.shape) for given in payload.inputs}
        names = [wanted.name for wanted in payload.outputs or []] or [value.name for value in self.session.get_outputs()]
        outputs = self.session.run(names, feeds)
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[NumpyCodec.encode_output(name, output) for name, output in zip(names, outputs)],
        )
