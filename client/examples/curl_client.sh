#!/bin/sh
# Probability of FAKE for one face crop, by curl: sh curl_client.sh CROP.ppm [HOST:PORT]
# The crop is a binary PPM (P6) of as many pixels as the bundle's crop_side (224 of lite), as Pillow makes it:
#   python -c 'import sys; from PIL import Image
#   Image.open(sys.argv[1]).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR).save(sys.argv[2])' \
#       CROP.jpg CROP.ppm
set -eu
crop=$1 address=${2:-127.0.0.1:8000}
side=$(sed -n '2{s/ .*//p;q;}' "$crop")
pixels=$((side * side * 3))
header='{"inputs":[{"name":"CROPS","shape":[1,'$side,$side',3],"datatype":"UINT8","parameters":{"binary_data_size":'$pixels'}}],"outputs":[{"name":"PROBABILITY"}]}'

# The pixels are the end of the file, the header's length in bytes tells Triton where they begin.
answer=$({ printf %s "$header"; tail -c "$pixels" "$crop"; } |
    curl --silent --show-error --fail-with-body --data-binary @- \
        --header "Inference-Header-Content-Length: ${#header}" \
        --header 'Content-Type: application/octet-stream' \
        "http://$address/v2/models/deepfake_ensemble/infer") || { echo "$answer" >&2; exit 1; }
echo "$answer" | sed -n 's/.*"data":\[\([^],]*\)\].*/probability of FAKE: \1/p'
