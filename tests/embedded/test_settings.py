"""Settings: what is wrong stops the start with one sentence, and no secret is ever printed."""

from __future__ import annotations

import ipaddress
import re

import pytest
from pydantic import ValidationError

from dispatch.settings import CHECKOUT, Settings, SettingsError, load

SECRETS = {
    "DISPATCH_DATABASE_URL": "mysql://dispatch:hidden-word@db/x",
    "DISPATCH_REDIS_URL": "http://:hidden-word@queue",
    "DISPATCH_SECRET": "hidden-word",
    "DISPATCH_BOOTSTRAP_KEY": "hidden-word with space",
    "DISPATCH_BOOTSTRAP_USER": "hidden-word",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    def put(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"DISPATCH_{name}", value)

    return put


def test_without_any_variable_the_documented_defaults_hold():
    settings = load()
    assert (settings.port, settings.bind, settings.mode, settings.rate_limit) == (8000, "127.0.0.1", "live", 100)
    assert (settings.s10_prefix, settings.web_workers, settings.web_threads) == ("RD", 2, 64)
    assert settings.data_dir == CHECKOUT / "var"
    assert settings.webhook_allow == ()
    assert settings.address == "http://127.0.0.1:8000"


def test_a_misspelt_variable_is_named_together_with_the_one_that_was_meant(environment):
    environment(PROT="8001")
    with pytest.raises(SettingsError, match=r"^DISPATCH_PROT is not a setting.*did you mean DISPATCH_PORT\?"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "eight"),
        ("BIND", "board.example"),
        ("MODE", "production"),
        ("WEBHOOK_ALLOW", "10.0.0.0/8,office"),
        ("WEBHOOK_ALLOW", "10.0.0.1/8"),
        ("RATE_LIMIT", "-1"),
        ("PUBLIC_URL", "board.example"),
        ("S10_PREFIX", "KA"),
        ("S10_PREFIX", "R1"),
        ("S10_PREFIX", "rd"),
        ("WEB_WORKERS", "0"),
        ("WEB_THREADS", "0"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_would_be_right(environment, name, value):
    environment(**{name: value})
    with pytest.raises(SettingsError) as caught:
        load()
    sentence = str(caught.value)
    assert sentence.startswith(f"DISPATCH_{name} must be ")
    assert sentence.endswith("correct or unset it and start again.")
    assert "\n" not in sentence


@pytest.mark.parametrize("name", SECRETS)
def test_a_refused_secret_is_not_repeated_on_the_terminal(monkeypatch, name):
    monkeypatch.setenv(name, SECRETS[name])
    with pytest.raises(SettingsError, match=rf"^{name} must be ") as caught:
        load()
    assert "hidden-word" not in str(caught.value)


def test_printing_the_settings_shows_no_secret():
    settings = Settings(
        database_url="postgresql://dispatch:hidden-word@db/x",
        redis_url="redis://:hidden-word@queue:6379/0",
        secret="hidden-word" * 4,
        bootstrap_key="hidden-word",
        bootstrap_user="lan:hidden-word",
    )
    assert settings.bootstrap_user == "lan:hidden-word"
    assert "hidden-word" not in f"{settings!r} {settings}"


def test_an_empty_variable_counts_as_unset_because_compose_passes_empty_ones(environment):
    environment(PORT="", WEBHOOK_ALLOW="", BOOTSTRAP_KEY="", S10_PREFIX="")
    assert load() == Settings()


def test_networks_for_webhooks_are_read_from_a_comma_list(environment):
    environment(WEBHOOK_ALLOW="127.0.0.0/8, fd00::/8")
    assert load().webhook_allow == (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize("spelling", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_every_usual_spelling_of_the_database_address_is_understood(environment, spelling):
    environment(DATABASE_URL=spelling)
    assert load().database_url == "postgresql://u:p@h/d"


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("10.1.2.3", "http://10.1.2.3:8000"),
        ("localhost", "http://127.0.0.1:8000"),
    ],
)
def test_the_printed_address_is_one_a_browser_can_open(environment, bind, address):
    environment(BIND=bind)
    assert load().address == address


def test_a_process_that_needs_the_servers_says_which_address_is_missing(environment):
    with pytest.raises(SettingsError, match="DISPATCH_DATABASE_URL is not set"):
        load(servers=True)
    environment(DATABASE_URL="postgresql://u:p@h/d")
    with pytest.raises(SettingsError, match="DISPATCH_REDIS_URL is not set"):
        load(servers=True)
    environment(REDIS_URL="redis://:p@h:6379/0")
    assert load(servers=True).redis_url == "redis://:p@h:6379/0"


def test_settings_cannot_be_changed_under_a_running_process():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 9000


def test_the_example_file_names_every_setting_and_no_other():
    text = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?DISPATCH_([A-Z0-9_]+)=", text, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
