"""The webhook channel: Standard Webhooks 1.0 signatures, and a POST that goes only to an address we checked."""

from dispatch.channels.webhook.guard import Guard, check_url, parse_url
from dispatch.channels.webhook.sending import KEPT_BYTES, Answer, new_secret, post, sign

__all__ = ["KEPT_BYTES", "Answer", "Guard", "check_url", "new_secret", "parse_url", "post", "sign"]
