"""All that can be configured: one frozen object, filled from the DISPATCH_* variables of the environment only."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parents[1]
PREFIX = "DISPATCH_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ROADS = "roads.npz"
"""The road graph that `import roads` keeps in the data directory."""


class SettingsError(Exception):
    """The environment says something we cannot follow; the text is one sentence that says what to do."""


class Settings(BaseSettings):
    """The settings of one process. An empty variable counts as unset; `repr=False` marks what is never printed."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    port: int = Field(default=8000, ge=1, le=65535, description="a port number from 1 to 65535")
    bind: str = Field(default="127.0.0.1", description="an IP address of this machine, such as 127.0.0.1 or 0.0.0.0")
    data_dir: Path = Field(default=CHECKOUT / "var", description="a directory")
    database_url: str = Field(default="", repr=False, description="postgresql://user:password@host:port/database")
    redis_url: str = Field(default="", repr=False, description="redis://:password@host:port/0")
    secret: str = Field(default="", repr=False, description="32 characters or more")
    bootstrap_key: str = Field(default="", repr=False, description="8 to 200 visible ASCII characters")
    bootstrap_user: str = Field(default="", repr=False, description="name:password")
    mode: Literal["test", "live"] = Field(default="live", description="test or live")
    webhook_allow: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(), description="networks divided by commas, such as 127.0.0.0/8,10.1.0.0/16"
    )
    rate_limit: int = Field(default=100, ge=0, le=1_000_000, description="requests per second and key, 0 for no limit")
    public_url: str = Field(default="", description="an address that begins with http:// or https://")
    s10_prefix: str = Field(default="RD", description="two capital letters, the first none of J K S T W")
    live_seconds: int = Field(default=2, ge=1, le=20, description="seconds of search for a live plan, from 1 to 20")
    live_frozen_stops: int = Field(default=1, ge=0, le=20, description="stops a courier keeps, from 0 to 20")
    live_moved_stops: int = Field(default=6, ge=0, le=200, description="stops a live plan may move, from 0 to 200")
    web_workers: int = Field(default=2, ge=1, le=64, description="a number of processes from 1 to 64")
    web_threads: int = Field(default=64, ge=1, le=512, description="a number of threads per process from 1 to 512")

    @field_validator("bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        return str(ipaddress.ip_address("127.0.0.1" if value == "localhost" else value))

    @field_validator("data_dir")
    @classmethod
    def _data_dir(cls, value: Path) -> Path:
        return Path(os.path.abspath(value.expanduser()))

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        # One spelling for all readers: psycopg's. The store adds its driver's name.
        value = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql://", value)
        return _matching(r"postgresql://\S+", value) if value else value

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: str) -> str:
        return _matching(r"rediss?://\S+", value) if value else value

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        return _matching(r"https?://[^/\s]\S*", value).rstrip("/") if value else value

    @field_validator("secret")
    @classmethod
    def _secret(cls, value: str) -> str:
        return _matching(r".{32,}", value) if value else value

    @field_validator("bootstrap_key")
    @classmethod
    def _bootstrap_key(cls, value: str) -> str:
        return _matching(r"[\x21-\x7e]{8,200}", value) if value else value

    @field_validator("bootstrap_user")
    @classmethod
    def _bootstrap_user(cls, value: str) -> str:
        return _matching(r"[^:\s][^:\n]*:[^\n]+", value) if value else value

    @field_validator("webhook_allow", mode="before")
    @classmethod
    def _webhook_allow(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())

    @field_validator("s10_prefix")
    @classmethod
    def _s10_prefix(cls, value: str) -> str:
        # UPU S10 service indicators: J is for transfers between operators, K S T W are reserved.
        return _matching(r"(?![JKSTW])[A-Z]{2}", value)

    @property
    def address(self) -> str:
        """The address people open, without a slash at the end: `public_url`, or http://bind:port."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def load(*, servers: bool = False) -> Settings:
    """The settings of this process, from its environment.

    With `servers` the database and the queue must be named, as web, worker, clock and relay need. Raises SettingsError.
    """
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "the known names stand in .env.example."
            raise SettingsError(f"{name} is not a setting of this program; {hint} Correct or unset it and start again.")
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(_sentence(str(error.errors()[0]["loc"][0]))) from None
    if servers and not (settings.database_url and settings.redis_url):
        missing = "REDIS_URL" if settings.database_url else "DATABASE_URL"
        raise SettingsError(
            f"{PREFIX}{missing} is not set: set it, or start the whole system with `python -m dispatch serve`."
        )
    return settings


def _sentence(field: str) -> str:
    about = Settings.model_fields[field]
    name = PREFIX + field.upper()
    said = f", not {os.environ[name]!r}" if about.repr and name in os.environ else ""
    return f"{name} must be {about.description}{said}: correct or unset it and start again."


def _matching(pattern: str, value: str) -> str:
    if not re.fullmatch(pattern, value):
        raise ValueError(pattern)
    return value
