#!/bin/sh
# unpack.sh PARTS HOME: joins the parts, checks them, unpacks them into HOME and makes the environment that serves.
set -eu
parts=$1 home=$2
mkdir -p "$home"
(cd "$parts" && sha256sum -c SHA256)
python3 - "$parts" "$home" <<'PY'
import io, pathlib, sys, tarfile, time
start = time.time()
parts = sorted(pathlib.Path(sys.argv[1]).glob("part*"))
with tarfile.open(fileobj=io.BytesIO(b"".join(part.read_bytes() for part in parts)), mode="r:xz") as archive:
    archive.extractall(sys.argv[2], filter="fully_trusted")
print(f"unpacked in {time.time() - start:.1f} s")
PY
python3 -m venv --without-pip "$home/venv"
mv "$home"/serving/* "$(echo "$home"/venv/lib/python3.*/site-packages)"/
