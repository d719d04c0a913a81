"""Messages of TensorBoard 2.21 in base64, for eventMessage.test.ts: `python messages.py > messages.json`."""
import base64, json
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.compat.proto import types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
import io

def text(event):
    return base64.b64encode(event.SerializeToString(deterministic=True)).decode()

out = {}
out["version"] = text(Event(wall_time=1700000000.25, file_version="brain.Event:2"))
out["restart"] = text(Event(wall_time=1700000001.5, step=301, session_log=SessionLog(status=SessionLog.START)))
e = Event(wall_time=1700000002.0, step=300)
v = e.summary.value.add(tag="train/loss"); v.simple_value = 0.125
v = e.summary.value.add(tag="weights/fc1/kernel/after")
h = v.histo
h.min, h.max, h.num, h.sum, h.sum_squares = -1.0, 1.0, 4.0, 1.0, 1.0
h.bucket_limit.extend([0.0, 1.0]); h.bucket.extend([1.0, 3.0])
v = e.summary.value.add(tag="settings")
v.tensor.dtype = types_pb2.DT_STRING
v.tensor.tensor_shape.dim.add(size=1)
v.tensor.string_val.append("| setting |\n".encode())
v.metadata.plugin_data.plugin_name = "text"
out["summary"] = text(e)
for name in ("start", "end"):
    e = Event(wall_time=1700000003.0, step=3)
    v = e.summary.value.add(tag=f"_hparams_/session_{name}_info")
    v.tensor.dtype = types_pb2.DT_FLOAT
    v.tensor.tensor_shape.dim.add(size=0)
    p = HParamsPluginData()
    if name == "start":
        p.session_start_info.hparams["rate"].number_value = 0.9
        p.session_start_info.start_time_secs = 1700000000.25
    else:
        p.session_end_info.status = 1
        p.session_end_info.end_time_secs = 1700000009.0
    v.metadata.plugin_data.plugin_name = "hparams"
    v.metadata.plugin_data.content = p.SerializeToString(deterministic=True)
    out[name] = text(e)
file = io.BytesIO(); RecordWriter(file).write(b"a record of TensorBoard")
out["record"] = base64.b64encode(file.getvalue()).decode()
print(json.dumps(out, indent=2))
