"""The two clients: one that blocks, one for asyncio. What they do stands in `retrying` and `scripts`, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, Self, TypeVar

import httpx

from dieutin import scripts
from dieutin import types as t
from dieutin.calls import Call
from dieutin.retrying import Outcome, Patience, Send, Wait, attempts

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class _Caller:
    """What both clients know: address, key, language, instant of the test world, patience."""

    def __init__(self, address: str, key: str | None, language: str, patience: Patience | None) -> None:
        self.address = address.rstrip("/")
        self.patience = patience or Patience()
        self._headers = {"Accept-Language": language}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"

    def at(self, instant: datetime | None) -> Self:
        """The same client, its calls handled as if it were this instant (test keys only); None: no Test-Clock."""
        headers = {name: value for name, value in self._headers.items() if name != "Test-Clock"}
        if instant is not None:
            if instant.tzinfo is None:
                raise ValueError("an instant of the test world needs its offset")
            headers["Test-Clock"] = instant.isoformat()
        moved = object.__new__(type(self))
        moved.__dict__ = {**self.__dict__, "_headers": headers}
        return moved

    def _arguments(self, call: Call[Any], step: Send) -> dict[str, Any]:
        return {
            "method": call.method,
            "url": self.address + call.path,
            "params": dict(call.query) or None,
            "json": call.body,
            "files": call.files,
            "headers": {**self._headers, **call.headers},
            "timeout": step.timeout_s,
        }


class Client(_Caller):
    """Calls one system, blocking. Close it, or use it in a `with` block."""

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        language: str = "vi",
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(address, key, language, patience)
        self._http = httpx.Client(transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def send(self, call: Call[Answer]) -> Answer:
        """Send a call, again where that is safe and may help. Raises `ApiError` and `Unreachable`."""
        steps = attempts(self.patience, repeatable=call.repeatable, least_s=call.least_s)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                return call.read(done.value)
            outcome = self._do(call, step)

    def _do(self, call: Call[Any], step: Send | Wait) -> Outcome:
        if isinstance(step, Wait):
            time.sleep(step.seconds)
            return None
        try:
            return self._http.request(**self._arguments(call, step))
        except httpx.TransportError as error:
            return error

    def _play(self, script: scripts.Script[Item]) -> Iterator[Item]:
        told: Any = None
        while True:
            try:
                step = script.send(told)
            except StopIteration:
                return
            told = None
            if isinstance(step, scripts.Give):
                yield step.item
            elif isinstance(step, Wait):
                time.sleep(step.seconds)
            else:
                told = self.send(step)

    def each(self, call: Call[t.Page[Item]]) -> Iterator[Item]:
        """Everything of a list, page by page."""
        return self._play(scripts.each(call))

    def follow(
        self, after: int = 0, *, wait: int = 30, types: str | None = None, shop_id: str | None = None
    ) -> Iterator[t.Event]:
        """The events above `after`, for ever; keep the `seq` of what was handled, and begin there the next time."""
        return self._play(scripts.follow(after, wait, types, shop_id))

    def wait(self, accepted: t.Accepted, *, within_s: float = 600.0) -> dict[str, Any]:
        """The result of long work; raises `OperationFailed`, and TimeoutError where it takes longer."""
        return next(self._play(scripts.finished(accepted, within_s)))


class AsyncClient(_Caller):
    """Calls one system from asyncio. Close it, or use it in an `async with` block."""

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        language: str = "vi",
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(address, key, language, patience)
        self._http = httpx.AsyncClient(transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def send(self, call: Call[Answer]) -> Answer:
        """Send a call, again where that is safe and may help. Raises `ApiError` and `Unreachable`."""
        steps = attempts(self.patience, repeatable=call.repeatable, least_s=call.least_s)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                return call.read(done.value)
            outcome = await self._do(call, step)

    async def _do(self, call: Call[Any], step: Send | Wait) -> Outcome:
        if isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._http.request(**self._arguments(call, step))
        except httpx.TransportError as error:
            return error

    async def _play(self, script: scripts.Script[Item]) -> AsyncIterator[Item]:
        told: Any = None
        while True:
            try:
                step = script.send(told)
            except StopIteration:
                return
            told = None
            if isinstance(step, scripts.Give):
                yield step.item
            elif isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            else:
                told = await self.send(step)

    def each(self, call: Call[t.Page[Item]]) -> AsyncIterator[Item]:
        """Everything of a list, page by page."""
        return self._play(scripts.each(call))

    def follow(
        self, after: int = 0, *, wait: int = 30, types: str | None = None, shop_id: str | None = None
    ) -> AsyncIterator[t.Event]:
        """The events above `after`, for ever; keep the `seq` of what was handled, and begin there the next time."""
        return self._play(scripts.follow(after, wait, types, shop_id))

    async def wait(self, accepted: t.Accepted, *, within_s: float = 600.0) -> dict[str, Any]:
        """The result of long work; raises `OperationFailed`, and TimeoutError where it takes longer."""
        return await anext(self._play(scripts.finished(accepted, within_s)))
