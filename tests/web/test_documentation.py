import re

import pytest
from deepfake_client.results import to_dict
from deepfake_web.documentation import description
from deepfake_web.schema import schema_of


def resolve(schema: dict, api: dict) -> dict:
    return api["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def fits(value, schema: dict, api: dict) -> bool:
    """Whether a JSON value is what a schema of this document says; unknown keys are not."""
    schema = resolve(schema, api)
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
    return isinstance(value, kinds[schema["type"]])


@pytest.fixture
def api(client) -> dict:
    return client.get("/openapi.json").json


def answer_schema(api, path: str, method: str, status: str, kind: str) -> dict:
    return api["paths"][path][method]["responses"][status]["content"][kind]["schema"]


def test_a_result_is_as_described(api, make_result):
    schema = answer_schema(api, "/predict", "post", "200", "application/json")
    assert fits(to_dict(make_result()), schema, api)
    assert not fits(to_dict(make_result(label="MAYBE")), schema, api)
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


def test_every_reference_leads_somewhere(api):
    names = set(re.findall(r"#/components/schemas/(\w+)", str(api)))
    assert names and names <= api["components"]["schemas"].keys()


def test_the_page_shows_what_the_document_says(client, api):
    page = client.get("/docs").text
    for name in api["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    for status in ("400", "408", "413", "415", "422", "429", "500", "503", "504"):
        assert f'id="status-{status}"' in page


def test_the_page_shows_code_as_code(client):
    page = client.get("/docs").text
    assert "<code>progress</code>" in page and "`" not in page


def test_the_link_of_a_problem_leads_to_its_explanation(client):
    problem = client.post("/predict", data={}).json
    path, _, anchor = problem["type"].partition("#")
    assert f'id="{anchor}"' in client.get(path).text


def test_a_type_without_a_schema_is_an_error():
    with pytest.raises(TypeError):
        schema_of(bytes, {})


def test_the_document_is_complete_without_a_request():
    assert description()["openapi"] == "3.1.0"
