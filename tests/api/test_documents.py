"""What is written about the API is what the API does."""

import re
from pathlib import Path

from tests.api.conftest import Api

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r'(?:code=|HttpProblem\(\s*\d{3},\s*|(?:invalid|_conflict|_refused)\(\s*"[^"]*",\s*)"([a-z][a-z_]+)"')


def test_every_problem_code_in_the_code_stands_in_the_page_about_them() -> None:
    used: set[str] = set()
    for folder in ("api", "dispatch"):
        for path in (ROOT / folder).rglob("*.py"):
            if "demo" not in path.parts:
                used |= set(CODE.findall(path.read_text(encoding="utf-8")))
    assert len(used) > 40
    told = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "api.md").read_text(encoding="utf-8")))
    assert used - told == set()


def test_the_openapi_document_names_every_call_and_needs_no_key(operator: Api) -> None:
    answer = operator.as_key(None).get("/v1/openapi.json")
    assert answer.status_code == 200
    document = answer.json
    assert document["openapi"].startswith("3.1")
    create = document["paths"]["/v1/requests"]["post"]
    parameters = {one.get("$ref", "").split("/")[-1] for one in create["parameters"]}
    assert {"Idempotency-Key", "Test-Clock", "Accept-Language", "X-Request-Id"} == parameters
    assert create["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/RequestBody")
    properties = document["components"]["schemas"]["RequestBody"]["properties"]
    assert {"kind", "dossier", "citizen", "weight_g", "notice_at"} <= set(properties)


def test_the_gauges_and_the_pulse_answer_without_a_key(operator: Api) -> None:
    nobody = operator.as_key(None)
    assert nobody.get("/healthz").json == {"status": "ok"}
    ready = nobody.get("/readyz")
    assert ready.json["checks"]["database"]["state"] == "ok"
    assert ready.json["checks"]["clock"]["state"] == "down" and ready.status_code == 503
    assert b"dispatch_outbox_waiting" in nobody.get("/metrics").data


def test_pages_carry_the_headers_that_protect_them(operator: Api) -> None:
    answer = operator.as_key(None).get("/sign-in")
    assert answer.status_code == 200
    assert "script-src 'self' 'wasm-unsafe-eval'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert operator.as_key(None).get("/board").headers["Location"] == "/sign-in"
