"""Client of the Điều Tin API: calls are values, a `Client` or an `AsyncClient` sends them, again where that is safe.

>>> from dieutin import Client, calls
>>> with Client("https://post.example", "test_…") as post:
...     made = post.send(calls.create_request({...}))
"""

from dieutin import bodies, calls, types, webhooks
from dieutin.client import AsyncClient, Client
from dieutin.errors import ApiError, DieuTinError, OperationFailed, Unreachable
from dieutin.retrying import Patience

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "DieuTinError",
    "OperationFailed",
    "Patience",
    "Unreachable",
    "bodies",
    "calls",
    "types",
    "webhooks",
]
