"""What a fit leaves and a server opens: a folder of JSON, ONNX, npy and safetensors, no pickle."""

from endcap.artifact.folder import (
    FORMAT,
    Artifact,
    Manifest,
    load_artifact,
    write_artifact,
    write_metrics,
)

__all__ = ["FORMAT", "Artifact", "Manifest", "load_artifact", "write_artifact", "write_metrics"]
