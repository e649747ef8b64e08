"""Whether a service of this machine lives: `python -m pipeline.alive INGEST_HTTP_PORT 8001`, a health check.

It is told the variable with the HTTP port, and the port where the variable is not set.
Over TLS where the service has a certificate: it shows that one, and takes any, for it asks nobody but itself.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys

_TIMEOUT_S = 2.0


def is_alive(port: int, *, certificate: str, key: str) -> bool:
    """Whether `/health` answers 200 within two seconds; over TLS where there is a certificate."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.load_cert_chain(certificate, key)
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_TIMEOUT_S, context=context)
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    files = {name: os.environ.get(f"TLS_{name.upper()}_PATH", "") for name in ("cert", "key")}
    port = int(os.environ.get(sys.argv[1], sys.argv[2]))
    sys.exit(not is_alive(port, certificate=files["cert"], key=files["key"]))
