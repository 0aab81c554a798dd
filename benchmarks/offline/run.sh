#!/bin/sh
# run.sh TREE PARTS HOME OUT MINUTES [ARGUMENTS]: unpacks once, looks at the libraries, then runs benchmarks/gpu.py.
set -u
tree=$(cd "$1" && pwd) parts=$2 home=$3 out=$4 minutes=$5
shift 5
[ -d "$home/venv" ] || sh "$parts/unpack.sh" "$parts" "$home" || exit 3
site=$(echo "$home"/venv/lib/python3.*/site-packages)
stub=$(echo "$site"/pytriton/tritonserver/python_backend_stubs/*/triton_python_backend_stub)
chmod +x "$stub" "$site/pytriton/tritonserver/bin/tritonserver"
# CUDA's libraries are where pip put them beside torch.
cuda=$(python3 -c 'import importlib.util, pathlib
spec = importlib.util.find_spec("nvidia")
found = {str(f.parent) for root in (spec.submodule_search_locations if spec else ()) for f in pathlib.Path(root).rglob("lib*.so*")}
print(":".join(sorted(found)))')
export LD_LIBRARY_PATH="$cuda${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
if ldd "$stub" | grep -q 'libpython.*not found'; then
  own=$(python3 -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
  [ -e "$own/libpython3.12.so.1.0" ] || own=$home/lib
  echo "libpython3.12 from $own"
  export LD_LIBRARY_PATH="$own:$LD_LIBRARY_PATH"
fi
echo "== missing libraries of Triton, of its model process, of ONNX Runtime for CUDA"
for each in "$site/pytriton/tritonserver/bin/tritonserver" "$stub" "$site"/onnxruntime/capi/libonnxruntime_providers_cuda.so; do
  ldd "$each" | grep 'not found' || echo "none: $(basename "$each")"
done
nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2>&1 | head -3
"$home/venv/bin/python3" -c 'import numpy, onnxruntime as o; print("serves:", numpy.__version__, o.__version__, o.get_available_providers())'
export PYTHONPATH="$home/bench:$tree/contract:$tree/client:$tree/networks:$tree/export:$tree/serving" PYTHONUNBUFFERED=1
export DEEPFAKE_SERVING_ENVIRONMENT="$home/venv" ORT_DISABLE_TELEMETRY=1 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$out"
timeout -s INT -k 20 $((minutes * 60 + 60)) python3 "$tree/benchmarks/gpu.py" --output "$out" --minutes "$minutes" \
  --bundle "$home/lite" "$@" 2>&1
echo "gpu.py ended with $? after its $minutes minutes"
