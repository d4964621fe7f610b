"""What a fit leaves and a server opens: a folder of JSON, ONNX, npy and safetensors, no pickle."""

from endcap.artifact.folder import load_artifact, write_artifact, write_metrics
from endcap.artifact.manifest import FORMAT, Artifact, Manifest

__all__ = ["FORMAT", "Artifact", "Manifest", "load_artifact", "write_artifact", "write_metrics"]
