import io
import json
import re
from dataclasses import replace

import pytest
from deepfake_client.report import words
from deepfake_client.results import to_dict
from deepfake_contract.errors import BusyError, UnavailableError
from deepfake_web.documentation import description
from deepfake_web.settings import WebSettings

NDJSON = {"Accept": "application/x-ndjson"}
# OpenAPI 3.1: what may stand in a schema object, of what is used here.
KEYWORDS = {"$ref", "type", "description", "default", "enum", "const", "anyOf", "oneOf", "allOf", "discriminator"}
KEYWORDS |= {"items", "prefixItems", "minItems", "maxItems", "properties", "required", "additionalProperties"}
KEYWORDS |= {"minimum", "maximum", "minLength", "maxLength", "pattern", "format", "contentMediaType", "title"}


def form(**fields: str) -> dict:
    return {"file": (io.BytesIO(b"abc"), "clip.mp4"), **fields}


def events_of(response) -> list[dict]:
    return [json.loads(line) for line in response.text.splitlines()]


def resolve(schema: dict, api: dict) -> dict:
    """What a reference leads to; of allOf, the parts as one."""
    if "$ref" in schema:
        *_, kind, name = schema["$ref"].split("/")
        return resolve(api["components"][kind][name], api)
    if "allOf" in schema:
        parts = [resolve(part, api) for part in schema["allOf"]]
        properties = {name: each for part in parts for name, each in part["properties"].items()}
        return {
            "type": "object",
            "properties": properties,
            "required": [name for part in parts for name in part["required"]],
        }
    return schema


def fits(value, schema: dict, api: dict) -> bool:
    """Whether a JSON value is what a schema of this document says; unknown keys are not."""
    schema = resolve(schema, api)
    if "oneOf" in schema:
        return sum(fits(value, each, api) for each in schema["oneOf"]) == 1
    if "const" in schema:
        return value == schema["const"]
    if "anyOf" in schema:
        return any(fits(value, each, api) for each in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if "prefixItems" in schema:
        return len(value) == len(schema["prefixItems"]) and all(
            map(lambda v, s: fits(v, s, api), value, schema["prefixItems"])
        )
    if schema["type"] == "array":
        return isinstance(value, list) and all(fits(each, schema["items"], api) for each in value)
    if schema["type"] == "object" and "properties" not in schema:
        return isinstance(value, dict) and all(
            fits(each, schema["additionalProperties"], api) for each in value.values()
        )
    if schema["type"] == "object":
        known = schema["properties"]
        return set(schema["required"]) <= value.keys() <= known.keys() and all(
            fits(item, known[key], api) for key, item in value.items()
        )
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
    bounds = schema.get("minimum", value), schema.get("maximum", value)
    return isinstance(value, kinds[schema["type"]]) and (value is None or bounds[0] <= value <= bounds[1])


@pytest.fixture
def api(client) -> dict:
    return client.get("/openapi.json").json


def answer_schema(api, path: str, method: str, status: str, kind: str) -> dict:
    return resolve(api["paths"][path][method]["responses"][status], api)["content"][kind]["schema"]


def nodes(value):
    """Every object of the document, however deep."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(each)


def schemas(api: dict):
    """Every schema of the document, however deep, those of its fields too."""
    roots = [*api["components"]["schemas"].values(), *(each["schema"] for each in nodes(api) if "schema" in each)]
    waiting = list(roots)
    while waiting:
        schema = waiting.pop()
        yield schema
        waiting += schema.get("properties", {}).values()
        waiting += [part for key in ("anyOf", "oneOf", "allOf", "prefixItems") for part in schema.get(key, [])]
        waiting += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]


def test_a_result_is_as_described(api, make_result):
    schema = answer_schema(api, "/predict", "post", "200", "application/json")
    assert fits(to_dict(make_result()), schema, api)
    assert fits(to_dict(make_result()) | {"report": "<!doctype html>"}, schema, api)
    assert not fits(to_dict(make_result(label="MAYBE")), schema, api)
    assert not fits(to_dict(make_result(confidence=1.5)), schema, api)
    assert not fits(to_dict(make_result()) | {"more": 1}, schema, api)


def test_a_problem_is_as_described(api, client):
    answer = client.post("/predict", data={})
    assert fits(answer.json, answer_schema(api, "/predict", "post", "400", answer.mimetype), api)


def test_health_is_as_described(api, client):
    answer = client.get("/health")
    assert fits(answer.json, answer_schema(api, "/health", "get", str(answer.status_code), answer.mimetype), api)


def test_every_address_that_is_described_exists(api, app):
    addresses = app.url_map.bind("")
    described = [(path, method.upper()) for path, methods in api["paths"].items() for method in methods]
    assert ("/predict/video", "POST") in described
    assert all(addresses.test(path, method) for path, method in described)


def test_every_address_of_the_application_is_described(api, app):
    rules = {rule.rule.replace("<any(image, video):kind>", "image") for rule in app.url_map.iter_rules()}
    pages = {"/", "/docs", "/openapi.json", "/report.css", "/static/<version>/<path:filename>"}
    assert rules - pages <= api["paths"].keys()


def test_every_reference_leads_somewhere(api):
    references = {each["$ref"] for each in nodes(api) if "$ref" in each}
    references |= {to for each in nodes(api) for to in each.get("discriminator", {}).get("mapping", {}).values()}
    assert len(references) > 20
    for reference in references:
        assert resolve({"$ref": reference}, api)


def test_every_component_is_used_or_explains_a_status(api):
    text = json.dumps(api)
    for kind, parts in api["components"].items():
        for name in parts:
            assert f'"#/components/{kind}/{name}"' in text or name in ("status-404", "status-405")


def test_schemas_are_made_of_known_keywords(api):
    found = list(schemas(api))
    assert len(found) > 100
    for schema in found:
        assert schema.keys() <= KEYWORDS and schema.keys() & {"$ref", "type", "anyOf", "oneOf", "allOf"}
        assert set(schema.get("required", [])) <= schema.get("properties", {}).keys()


def test_operations_are_named_once_and_belong_to_a_known_tag(api):
    operations = [each for methods in api["paths"].values() for each in methods.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[a-z_]+", name) for name in names)
    tags = {tag["name"] for tag in api["tags"]}
    assert {name for each in operations for name in each["tags"]} == tags
    assert all(len(each["tags"]) == 1 and each["summary"] for each in operations)


def test_every_line_of_a_stream_is_exactly_one_of_the_events(api, client):
    schema = answer_schema(api, "/predict", "post", "200", "application/x-ndjson")
    events = events_of(client.post("/predict", data=form(), headers=NDJSON))
    assert [event["event"] for event in events] == ["accepted", "frame", "progress", "result"]
    assert all(fits(event, schema, api) for event in events)
    assert not fits(events[0] | {"event": "frame"}, schema, api)


def test_a_failure_within_a_stream_is_one_of_the_events(api, make_app, make_detector):
    client = make_app(make_detector(UnavailableError("No Triton answers."), fail_at=2)).test_client()
    *_, last = events_of(client.post("/predict", data=form(), headers=NDJSON))
    assert last["event"] == "error"
    assert fits(last, answer_schema(api, "/predict", "post", "200", "application/x-ndjson"), api)


def test_the_discriminator_names_the_events_that_there_are(api):
    schema = answer_schema(api, "/predict", "post", "200", "application/x-ndjson")
    assert schema["discriminator"]["propertyName"] == "event"
    mapping = schema["discriminator"]["mapping"]
    assert [{"$ref": reference} for reference in mapping.values()] == schema["oneOf"]
    for name, reference in mapping.items():
        event = resolve({"$ref": reference}, api)
        assert event["properties"]["event"]["const"] == name and "event" in event["required"]


def test_the_form_says_what_the_server_enforces(settings, make_app, detector):
    client = make_app(detector, replace(settings, max_frames=7)).test_client()
    form_schema = client.get("/openapi.json").json["paths"]["/predict"]["post"]["requestBody"]["content"][
        "multipart/form-data"
    ]["schema"]
    frames, nothing = form_schema["properties"]["frames"]["anyOf"]
    assert (frames["type"], frames["minimum"], frames["maximum"]) == ("integer", 1, 7)
    assert client.post("/predict", data=form(frames=nothing["const"])).status_code == 200
    for number, status in ((0, 400), (1, 200), (7, 200), (8, 400)):
        assert client.post("/predict", data=form(frames=str(number))).status_code == status
    name = form_schema["properties"]["name"]
    for length, status in ((name["minLength"], 200), (name["maxLength"], 200), (name["maxLength"] + 1, 400)):
        assert client.post("/predict", data=form(name="a" * length)).status_code == status
    assert form_schema["required"] == ["file"] and form_schema["additionalProperties"] is False
    assert all(field["description"] for field in form_schema["properties"].values())


def test_the_form_lists_every_way_to_say_yes_and_no(api, client, detector):
    form_schema = api["paths"]["/predict"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    heatmaps = form_schema["properties"]["heatmaps"]
    assert {**form_schema["properties"]["report"], "description": ""} == {**heatmaps, "description": ""}
    truth, texts = heatmaps["anyOf"]
    assert truth == {"type": "boolean"} and heatmaps["default"] is False
    for text in texts["enum"]:
        assert client.post("/predict", data=form(heatmaps=text)).status_code == 200
    said = dict(zip(texts["enum"], (heatmaps for _, heatmaps in detector.calls), strict=True))
    assert {text for text, value in said.items() if value} == {"true", "True", "TRUE", "1", "on", "On", "ON"}
    assert {text for text, value in said.items() if not value} == {"false", "False", "FALSE", "0", ""}
    for text in ("yes", "tRUE", "2", " "):
        assert client.post("/predict", data=form(heatmaps=text)).status_code == 400


def test_the_file_field_names_the_formats_and_the_limit(api):
    form_schema = api["paths"]["/predict"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert re.search(r"JPEG.*MP4.* At most [\d.]+ MiB", form_schema["schema"]["properties"]["file"]["description"])
    assert form_schema["encoding"]["file"]["contentType"] == "image/*, video/*"


def test_reasons_are_those_that_people_can_be_told(api):
    reasons = api["components"]["schemas"]["Result"]["properties"]["reasons"]
    assert reasons["items"]["enum"] == list(words.REASONS)
    assert all(f"`{reason}`: {text}" in reasons["description"] for reason, (_, text) in words.REASONS.items())


@pytest.mark.parametrize(
    "field",
    [
        "FaceResult.box",
        "FaceResult.crop",
        "FaceResult.heatmap",
        "FrameResult.time_s",
        "Result.certainty",
        "Result.confidence",
        "Result.contributions",
        "Result.reasons",
        "Result.threshold",
        "TrackResult.first_s",
    ],
)
def test_a_field_whose_meaning_is_not_in_its_name_is_explained(api, field):
    schema, _, name = field.partition(".")
    assert len(api["components"]["schemas"][schema]["properties"][name]["description"]) > 12


def test_a_busy_answer_says_when_to_try_again_as_described(api, make_app, make_detector):
    answer = make_app(make_detector(BusyError("Busy.", 7))).test_client().post("/predict", data=form())
    described = resolve(api["paths"]["/predict"]["post"]["responses"]["429"], api)["headers"]
    assert described.keys() == {"X-Request-ID", "Retry-After"} and all(name in answer.headers for name in described)
    assert fits(int(answer.headers["Retry-After"]), resolve(described["Retry-After"], api)["schema"], api)


@pytest.mark.parametrize("path", ["/config", "/health/live"])
def test_what_is_always_answered_is_as_described(api, client, path):
    schema = answer_schema(api, path, "get", "200", "application/json")
    answer = client.get(path).json
    # More may be told than is described.
    assert fits({key: each for key, each in answer.items() if key in schema["properties"]}, open_up(schema), api)


def open_up(schema: dict) -> dict:
    """Objects that are described in prose take any value."""
    if schema["type"] != "object":
        return schema
    if "properties" not in schema:
        return {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": ANYTHING}]}
    return schema | {"properties": {name: open_up(each) for name, each in schema["properties"].items()}}


ANYTHING = {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}


def test_the_page_shows_what_the_document_says(client, api):
    page = client.get("/docs").text
    for name in api["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            title = f'id="title-{operation["operationId"]}"><span class="method {method}">{method.upper()}</span>'
            assert f"{title} <code>{path}</code>" in page
    for status in ("400", "404", "405", "408", "413", "415", "422", "429", "500", "503", "504"):
        assert f'id="status-{status}"' in page


def test_every_link_within_the_page_leads_somewhere(client):
    page = client.get("/docs").text
    anchors = set(re.findall(r'href="#([^"]+)"', page))
    assert len(anchors) > 30 and anchors <= set(re.findall(r' id="([^"]+)"', page))


def test_no_two_parts_of_the_page_have_one_id(client):
    names = re.findall(r' id="([^"]+)"', client.get("/docs").text)
    assert len(names) == len(set(names))


def test_the_page_shows_code_as_code(client):
    page = client.get("/docs").text
    assert "<code>result</code>" in page and "`" not in page


@pytest.mark.parametrize(("method", "path"), [("POST", "/predict"), ("GET", "/nowhere"), ("GET", "/predict")])
def test_the_link_of_a_problem_leads_to_its_explanation(client, method, path):
    problem = client.open(path, method=method).json
    path, _, anchor = problem["type"].partition("#")
    assert f'id="{anchor}"' in client.get(path).text


def test_the_document_is_complete_without_a_request():
    assert description(WebSettings())["openapi"] == "3.1.0"
