"""`AdminService`: the gRPC edge of what operators do."""

from __future__ import annotations

from typing import Any

import grpc
from seawall.admin.v1 import admin_pb2, admin_pb2_grpc

from pipeline.auth import current_caller
from pipeline.errors import InvalidRequest, Violation
from pipeline.event import Platform
from pipeline.validation import author_violations
from screener.forget import Author, Forgetting


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """Serves `seawall.admin.v1.AdminService`; errors are raised, for `pipeline.guard` to answer."""

    def __init__(self, forgetting: Forgetting) -> None:
        self._forgetting = forgetting

    async def Forget(  # noqa: N802  # the proto's name
        self,
        request: admin_pb2.ForgetRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> admin_pb2.ForgetResponse:
        """Removes what is held of one author."""
        violations = author_violations(request.author_id)
        if int(request.platform) not in {int(platform) for platform in Platform}:
            allowed = ", ".join(platform.label for platform in Platform if platform)
            violations += (Violation("platform", f"has the unknown number {request.platform}", allowed),)
        if violations:
            raise InvalidRequest(violations)
        author = Author(request.author_id, Platform(request.platform))
        found = await self._forgetting.forget(author, who=current_caller().name)
        places = [
            admin_pb2.ForgetResponse.Place(name=name, removed=removed)
            for name, removed in found.removed.items()
        ]
        return admin_pb2.ForgetResponse(places=places, waiting=found.waiting)
