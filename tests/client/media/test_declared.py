"""What a file says of how it came about is told in a sentence, with who answers for it."""

import io
import time
import uuid
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from deepfake_client.media import manifests
from deepfake_client.media.facts import Declaration
from deepfake_client.media.sentences import SAYS
from deepfake_client.media.source_types import CODES, meaning
from deepfake_client.media.xmp import of_mp4
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo
from pillow_heif import register_heif_opener
from signing import CAPTURED, GENERATED, SOURCE_TYPE, Signer, assertion, new_signer

register_heif_opener()

SETTINGS = "a portrait, best quality\nNegative prompt: hat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
WORKFLOW = '{"3": {"inputs": {"seed": 1, "steps": 20}, "class_type": "KSampler"}}'
FORMS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"]
ANYONE = "Anyone can write this."
SIGNED = "signed by “A Photographer, Test Press”"
OFFICIAL = "not on the trust list “C2PA-TRUST-LIST-2026-09-24.pem”: anyone can sign under any name"
XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"{attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def xmp(attributes: str = "", elements: str = "") -> bytes:
    return XMP.format(attributes=" " + attributes, elements=elements).encode()


def of_type(code: str) -> bytes:
    return xmp(f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}{code}"')


@pytest.fixture(scope="module")
def signer() -> Signer:
    return new_signer()


@pytest.fixture
def picture(numbered):
    """The bytes of a picture."""

    def picture(form: str = "JPEG", **options) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(numbered(5)).save(buffer, form, **options)
        return buffer.getvalue()

    return picture


@pytest.fixture
def declared(tmp_path, load):
    """What a file of these bytes declares; its frames must have been read, too."""

    def declared(data: bytes, **settings: str) -> list[Declaration]:
        path = tmp_path / "file"
        path.write_bytes(data)
        loaded = load(path, **settings)
        assert loaded.numbers
        return loaded.provenance.declared

    return declared


@pytest.fixture
def sentences(declared):
    return lambda data, **settings: [each.sentence for each in declared(data, **settings)]


@pytest.fixture
def clip(tmp_path, write_clip):
    """The bytes of a clip with these tags."""

    def clip(name: str = "clip.mp4", **tags: str) -> bytes:
        options = {"movflags": "use_metadata_tags"} if name.endswith(("mp4", "mov")) else {}
        path = write_clip(
            tmp_path / name,
            "libx264",
            count=12,
            container_options=options,
            prepare=lambda stream: stream.container.metadata.update(tags),
        )
        return path.read_bytes()

    return clip


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


# Signed


@pytest.mark.parametrize(("form", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_signed_as_made_by_generative_ai(form, mime, declared, picture, signer):
    (said,) = declared(signer.sign(picture(form), mime, assertions=[assertion(GENERATED)]))
    assert (said.says, said.source, said.by, said.at) == ("generated", "c2pa", "Test Painter 3", "2026-05-01T12:00:00Z")
    assert (said.signature, said.ingredient) == ("unknown_signer", False)
    assert said.sentence == (
        "The file says that it was made by generative AI, with “Test Painter 3”, on 2026-05-01 12:00:00 UTC "
        f"({SIGNED}, {OFFICIAL})."
    )


def test_clip_signed_as_made_by_generative_ai(declared, clip, signer):
    (said,) = declared(signer.sign(clip(), "video/mp4", assertions=[assertion(GENERATED)]))
    assert (said.says, said.source, said.signature) == ("generated", "c2pa", "unknown_signer")


def test_signer_on_the_trust_list(declared, picture, signer, tmp_path):
    (tmp_path / "known.pem").write_bytes(signer.authority)
    signed = signer.sign(picture(), "image/jpeg", assertions=[assertion(GENERATED)])
    (said,) = declared(signed, trust_list=str(tmp_path / "known.pem"))
    assert said.signature == "trusted"
    assert said.sentence.endswith(f"({SIGNED}, on the trust list “known.pem”).")


def test_signer_who_was_not_checked(declared, picture, signer):
    (said,) = declared(signer.sign(picture(), "image/jpeg"), trust_list="")
    assert said.signature == "not_checked"
    assert said.sentence == (
        f"The file says that it was captured by a camera, with “Test Editor 1.2” ({SIGNED}, and whether to trust that "
        "was not checked: anyone can sign under any name)."
    )


def test_signature_that_does_not_hold(declared, picture, signer, tmp_path):
    (tmp_path / "known.pem").write_bytes(signer.authority)
    signed = bytearray(signer.sign(picture(), "image/jpeg", assertions=[assertion(GENERATED)]))
    signed[-60] ^= 1
    (said,) = declared(bytes(signed), trust_list=str(tmp_path / "known.pem"))
    assert (said.says, said.signature) == ("generated", "broken")
    assert said.sentence.endswith("(in Content Credentials that do not hold, so this proves nothing).")


def test_who_edited_it_and_when(sentences, picture, signer):
    edited = {"action": "c2pa.color_adjustments", "softwareAgent": {"name": "Retouch"}, "when": "2026-05-02T09:00:00Z"}
    later = edited | {"action": "c2pa.cropped", "when": "2026-05-02T09:05:00.123Z"}
    signed = signer.sign(picture(), "image/jpeg", assertions=[assertion(CAPTURED, edited, later)])
    assert sentences(signed) == [
        f"The file says that it was edited, with “Retouch”, on 2026-05-02 09:05:00 UTC ({SIGNED}, {OFFICIAL}).",
        f"The file says that it was captured by a camera, with “Test Editor 1.2” ({SIGNED}, {OFFICIAL}).",
    ]


def test_edit_by_generative_ai(declared, picture, signer):
    filled = {"action": "c2pa.edited", "digitalSourceType": f"{SOURCE_TYPE}compositeWithTrainedAlgorithmicMedia"}
    inserted = {"action": "c2pa.drawing", "digitalSourceType": f"{SOURCE_TYPE}trainedAlgorithmicMedia"}
    for action in (filled, inserted):
        said = declared(signer.sign(picture(), "image/jpeg", assertions=[assertion(CAPTURED, action)]))
        assert [each.says for each in said] == ["partly_generated", "captured"]


def test_a_watermark_of_a_generated_picture_is_no_second_statement(declared, picture, signer):
    marked = {"action": "c2pa.edited", "digitalSourceType": f"{SOURCE_TYPE}trainedAlgorithmicMedia"}
    said = declared(signer.sign(picture(), "image/jpeg", assertions=[assertion(GENERATED, marked)]))
    assert [each.says for each in said] == ["generated"]


def test_what_changes_no_picture_is_no_edit(declared, picture, signer):
    other = [{"action": f"c2pa.{each}"} for each in ("published", "transcoded", "edited.metadata")]
    said = declared(signer.sign(picture(), "image/jpeg", assertions=[assertion(CAPTURED, *other)]))
    assert [each.says for each in said] == ["captured"]


@pytest.mark.parametrize("relationship", ["parentOf", "componentOf", "inputTo"])
def test_edited_picture_that_was_made_from_a_generated_one(relationship, declared, picture, signer):
    generated = signer.sign(picture(), "image/jpeg", assertions=[assertion(GENERATED)])
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["0"]}}
    begun = opened if relationship == "parentOf" else CAPTURED
    actions = assertion(begun, {"action": "c2pa.edited", "softwareAgent": {"name": "Retouch"}})
    signed = signer.sign(picture(), "image/jpeg", assertions=[actions], ingredients=[(relationship, generated)])
    said = declared(signed)
    assert [(each.says, each.ingredient) for each in said][:2] == [("generated", True), ("edited", False)]
    assert said[0].sentence == (
        "The file says that it was made from another file, which was made by generative AI, with “Test Painter 3”, "
        f"on 2026-05-01 12:00:00 UTC ({SIGNED}, {OFFICIAL})."
    )


def test_ingredient_of_an_ingredient(declared, picture, signer):
    data = signer.sign(picture(), "image/jpeg", assertions=[assertion(GENERATED)])
    for _ in range(3):
        opened = assertion({"action": "c2pa.opened", "parameters": {"ingredientIds": ["0"]}})
        data = signer.sign(picture(), "image/jpeg", assertions=[opened], ingredients=[("parentOf", data)])
    assert [(each.says, each.ingredient) for each in declared(data)] == [("generated", True)]


def test_generator_that_names_itself_and_no_type(declared, picture, signer):
    created = {"action": "c2pa.created", "digitalSourceType": f"{SOURCE_TYPE}nothing"}
    named = assertion(created | {"softwareAgent": {"name": "Bing Image Creator"}})
    by_place = assertion(created | {"softwareAgentIndex": 0}, softwareAgents=[{"name": "Bing Image Creator"}])
    for each in (named, by_place):
        said = declared(signer.sign(picture(), "image/jpeg", assertions=[each]))
        assert [(found.says, found.by) for found in said] == [("generated", "Bing Image Creator")]


def test_manifest_that_is_not_as_it_should_be_is_passed_over():
    actions = {"label": "c2pa.actions", "data": {"actions": [GENERATED | {"softwareAgent": "Painter"}]}}
    good = {"assertions": [actions], "ingredients": [{"active_manifest": "b"}, {}]}
    for bad in (None, [], {"assertions": [7]}, {"assertions": [{"label": "c2pa.actions", "data": {"actions": [{}]}}]}):
        found = manifests.said({"active_manifest": "a", "manifests": {"a": good, "b": bad}})
        assert [(each.says, each.by) for each in found] == [("generated", "Painter")]
    loop = {"a": good | {"ingredients": [{"active_manifest": "a"}]}}
    assert len(manifests.said({"active_manifest": "a", "manifests": loop})) == 1


def test_iptc_inside_credentials(declared, picture, signer):
    about = {
        "label": "cawg.metadata",
        "data": {
            "@context": {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
            "Iptc4xmpExt:DigitalSourceType": f"{SOURCE_TYPE}trainedAlgorithmicMedia",
        },
    }
    said = declared(signer.sign(picture(), "image/jpeg", assertions=[assertion(CAPTURED), about]))
    assert [(each.says, each.source) for each in said] == [("generated", "c2pa"), ("captured", "c2pa")]


def test_a_name_can_not_end_its_quotation(sentences, picture, signer):
    name = "Me” (signed by “The Times”, on the trust list “C2PA”). \n\u202e\x1b[2J" + "A" * 1000
    (said,) = sentences(signer.sign(picture(), "image/jpeg", assertions=[assertion(CAPTURED)], name=name))
    assert said.startswith("The file says that it was captured by a camera, with “Me' (signed by 'The Times', on")
    assert said.count("“") == said.count("”") == 3
    assert said.isprintable() and len(said) < 400


def test_what_concerns_generative_ai_is_told_however_much_else_is_said(declared, picture, signer):
    edits = [{"action": "c2pa.edited", "softwareAgent": {"name": f"Program {at}"}} for at in range(50)]
    filled = {"action": "c2pa.edited", "digitalSourceType": f"{SOURCE_TYPE}trainedAlgorithmicMedia"}
    said = declared(signer.sign(picture(), "image/jpeg", assertions=[assertion(CAPTURED, *edits, filled)]))
    assert len(said) == 8
    assert said[0].says == "partly_generated"


# Not signed


@pytest.mark.parametrize("form", [each for each in FORMS if each != "PNG"])
def test_iptc_source_type_in_xmp(form, declared, picture):
    (said,) = declared(picture(form, xmp=of_type("trainedAlgorithmicMedia")))
    assert (said.says, said.source, said.signature) == ("generated", "iptc", "none")
    assert said.sentence == f"The file says in IPTC's digital source type that it was made by generative AI. {ANYONE}"


def test_iptc_source_type_in_png(declared, picture):
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", of_type("trainedAlgorithmicMedia").decode())
    assert [each.says for each in declared(picture("PNG", pnginfo=text))] == ["generated"]


def test_every_source_type_has_words():
    assert set(CODES.values()) | {"origin"} == set(SAYS)
    for code, says in CODES.items():
        assert {meaning(each) for each in (code, f"digsrctype:{code}", SOURCE_TYPE + code, code.upper())} == {says}
    assert [meaning(each) for each in ("", "digitalsourcetype/", "http://c2pa.org/empty", None, 7)] == [None] * 5


@pytest.mark.parametrize(
    "elements",
    [
        "<Iptc4xmpExt:DigitalSourceType>digsrctype:trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>",
        f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{SOURCE_TYPE}trainedAlgorithmicMedia"/>',
        "<Iptc4xmpExt:DigitalSourceType>\n trained&#65;lgorithmicMedia/ </Iptc4xmpExt:DigitalSourceType>",
    ],
)
def test_other_ways_to_write_it(elements, declared, picture):
    assert [each.says for each in declared(picture(xmp=xmp(elements=elements)))] == ["generated"]


@pytest.mark.parametrize("place", ["uuid", "udta"])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
def test_iptc_source_type_of_a_clip(place, name, declared, clip):
    data, packet = clip(name), of_type("trainedAlgorithmicMedia")
    if place == "uuid":
        data += box(b"uuid", uuid.UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes + packet)
    else:  # at the end, so that no frame moves
        at = data.rindex(b"moov") - 4
        size = int.from_bytes(data[at : at + 4], "big")
        assert at + size == len(data)
        data = data[:at] + box(b"moov", data[at + 8 :] + box(b"udta", box(b"XMP_", packet)))
    assert [each.says for each in declared(data) if each.source == "iptc"] == ["generated"]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no xml",
        of_type("trainedAlgorithmicMedia")[:-60],
        of_type("unheardOf"),
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + of_type("trainedAlgorithmicMedia"),
        b'<?xml version="1.0" encoding="a-codec-of-nobody"?><a/>',
        b"<a>" * 200_000,
        b"<a b='" + b"x" * 2_000_000 + b"'/>",
        of_type("trainedAlgorithmicMedia").decode().encode("utf-16"),
        b"\xff" * 1000,
    ],
    ids=range(10),
)
def test_xmp_that_can_not_be_read_is_no_error(packet, declared, picture):
    assert declared(picture("WEBP", xmp=packet)) == []


def test_entities_are_not_expanded_nor_files_read(declared, picture, tmp_path):
    (tmp_path / "type").write_text("trainedAlgorithmicMedia")
    laughs = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
    element = "<Iptc4xmpExt:DigitalSourceType>{}</Iptc4xmpExt:DigitalSourceType>"
    for start, name in (
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}]>', "&l11;"),
        (f'<!DOCTYPE a [<!ENTITY e SYSTEM "{(tmp_path / "type").as_uri()}">]>', "&e;"),
    ):
        begun = time.process_time()
        assert declared(picture("WEBP", xmp=start.encode() + xmp(elements=element.format(name)))) == []
        assert time.process_time() - begun < 5


def test_generator_in_xmp(sentences, picture):
    (said,) = sentences(picture(xmp=xmp('xmp:CreatorTool="Adobe Firefly 3"')))
    assert said == f"The file says in its XMP that it was made by generative AI, with “Adobe Firefly 3”. {ANYONE}"


def test_program_in_xmp(sentences, picture):
    (said,) = sentences(picture(xmp=xmp('xmp:CreatorTool="Retouch 5" xmp:CreateDate="2026-05-01T12:00:00+02:00"')))
    assert said == f"The file says in its XMP that it is from “Retouch 5”, dated 2026-05-01 12:00:00+02:00. {ANYONE}"


@pytest.mark.parametrize(
    ("key", "text", "program"),
    [
        ("parameters", SETTINGS, "Stable Diffusion web UI"),
        ("parameters", "x " * 5000 + SETTINGS, "Stable Diffusion web UI"),
        ("prompt", WORKFLOW, "ComfyUI"),
        ("workflow", '{"last_node_id": 9, "last_link_id": 9, "nodes": [], "links": []}', "ComfyUI"),
        ("parameters", '{"sui_image_params": {"steps": 20}}', "SwarmUI"),
        ("invokeai_metadata", "{}", "InvokeAI"),
        ("sd-metadata", "{}", "InvokeAI"),
        ("Description", "a portrait --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef", "Midjourney"),
    ],
)
def test_what_generators_write_into_png(key, text, program, sentences, picture):
    info = PngInfo()
    info.add_itxt(key, text)
    assert sentences(picture("PNG", pnginfo=info)) == [
        f"The file says in details that generators write that it was made by generative AI, with “{program}”. {ANYONE}"
    ]


@pytest.mark.parametrize("form", FORMS)
def test_what_generators_write_into_exif(form, declared, picture):
    exif = Image.Exif()
    exif[Base.Artist] = "Me"
    exif._ifds[IFD.Exif] = {Base.UserComment: b"UNICODE\0" + SETTINGS.encode("utf-16-be")}
    (said,) = declared(picture(form, exif=exif))
    assert (said.says, said.source, said.by) == ("generated", "generator", "Stable Diffusion web UI")
    comfy = Image.Exif()
    comfy[Base.Make], comfy[Base.Model] = "workflow:{}", f"prompt:{WORKFLOW}"
    (said,) = declared(picture(form, exif=comfy))
    assert (said.says, said.source, said.by) == ("generated", "generator", "ComfyUI")


def test_what_midjourney_writes(declared, picture):
    info = PngInfo()
    info.add_text("Description", "a portrait --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef")
    info.add_itxt("XML:com.adobe.xmp", of_type("trainedAlgorithmicMedia").decode())
    said = declared(picture("PNG", pnginfo=info))
    assert [(each.says, each.source, each.by) for each in said] == [
        ("generated", "iptc", None),
        ("generated", "generator", "Midjourney"),
    ]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_what_generators_write_into_clips(name, declared, clip):
    said = declared(clip(name, comment='{"prompt": ' + WORKFLOW + "}"))
    assert [(each.says, each.by) for each in said] == [("generated", "ComfyUI")]


@pytest.mark.parametrize(
    ("label", "by"),
    [
        ('{"Label":"1","ContentProducer":"A studio","ProduceID":"7"}', ["A studio"]),
        ('{"Label": 1}', [None]),
        ('{"Label":"2","ContentProducer":"A studio"}', []),
        ('{"Label":"1"' + " " * 5000 + "}", []),
        ("[" * 3000, []),
        ("7", []),
    ],
)
def test_label_that_china_asks_for(label, by, declared, picture):
    packet = f'<TC260:AIGC xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">{escape(label)}</TC260:AIGC>'
    said = declared(picture(xmp=xmp(elements=packet)))
    assert [(each.says, each.source, each.by) for each in said] == [("generated", "generator", each) for each in by]


def test_label_that_china_asks_for_in_a_clip(declared, clip):
    said = declared(clip(AIGC='{"Label":"1","ContentProducer":"A studio"}'))
    assert [(each.says, each.by) for each in said] == [("generated", "A studio")]


def test_software_that_is_a_generator(declared, picture):
    info = PngInfo()
    info.add_text("Software", "NovelAI")
    assert [(each.says, each.source) for each in declared(picture("PNG", pnginfo=info))] == [("generated", "tags")]


@pytest.mark.parametrize(
    "text", ["Steps: to the harbour, Sampler: none", "a photo of class_type", '"nodes" and "links"', "Job ID: 7"]
)
def test_words_that_only_look_alike(text, declared, picture):
    assert declared(picture(comment=text.encode())) == []


@pytest.mark.parametrize("start", ["Steps: 1, ", "Steps: 1, a: ", "Steps: 1, a: b, a: ", "Job ID: ", '"nodes"'])
def test_long_texts_are_no_work(start, declared, picture):
    info = PngInfo()
    info.add_text("parameters", start * (1_000_000 // len(start)))
    begun = time.monotonic()
    assert declared(picture("PNG", pnginfo=info), decoder_cpu_s=10) == []
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("form", FORMS)
def test_camera_and_program_that_a_picture_names(form, sentences, picture):
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.Software] = "Maker", "Phone 7", "OS 17.1"
    exif._ifds[IFD.Exif] = {Base.DateTimeOriginal: "2026:05:01 12:00:00"}
    assert sentences(picture(form, exif=exif)) == [
        f"The file says in its tags that it is from “Maker Phone 7, OS 17.1”, dated 2026-05-01 12:00:00. {ANYONE}"
    ]


def test_camera_that_a_clip_names(sentences, clip):
    tags = {"com.apple.quicktime.make": "Maker", "com.apple.quicktime.model": "Phone 7"}
    (said,) = sentences(clip("clip.mov", **tags))
    assert said == f"The file says in its tags that it is from “Maker Phone 7”. {ANYONE}"


def test_a_moving_picture_declares_too(declared, numbered):
    buffer = io.BytesIO()
    first, *others = (Image.fromarray(numbered(each)) for each in range(3))
    packet = of_type("trainedAlgorithmicMedia")
    first.save(buffer, "WEBP", save_all=True, append_images=others, duration=200, xmp=packet, lossless=True)
    assert [each.says for each in declared(buffer.getvalue())] == ["generated"]


def test_most_files_declare_nothing(declared, picture, clip):
    assert declared(picture()) == []
    assert declared(clip()) == []


def test_no_mp4_is_too_odd_to_look_for_xmp_in(tmp_path):
    path = Path(tmp_path / "odd")
    for data in (
        b"",
        b"\0" * 7,
        b"\0" * 64,
        box(b"moov", b"\0\0\0\1udta" + b"\xff" * 8),
        b"\0\0\0\1uuid" + b"\xff" * 40,
    ):
        path.write_bytes(data)
        with path.open("rb") as file:
            assert of_mp4(file.fileno()) == b""
