"""Which scope each method wants: the one table. What it does not name is open to nobody."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import ServiceDescriptor
from seawall.admin.v1 import admin_pb2
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from pipeline.auth import AnyOf, Scope


def _methods(service: ServiceDescriptor, scopes: Mapping[str, AnyOf]) -> dict[str, AnyOf]:
    return {f"/{service.full_name}/{name}": wanted for name, wanted in scopes.items()}


ANY_KEY: AnyOf = frozenset()
_INGEST: AnyOf = frozenset({Scope.INGEST})
_SCREEN: AnyOf = frozenset({Scope.SCREEN})
_READ: AnyOf = frozenset({Scope.READ})

METHOD_SCOPES: Mapping[str, AnyOf] = {
    **_methods(
        ingest_pb2.DESCRIPTOR.services_by_name["IngestService"],
        {
            "Ingest": _INGEST,
            "IngestBatch": _INGEST,
            "IngestStream": _INGEST,
            "GetEventStatus": _READ | _INGEST,
        },
    ),
    **_methods(
        screening_pb2.DESCRIPTOR.services_by_name["ScreeningService"],
        {
            "Screen": _SCREEN,
            "ScreenBatch": _SCREEN,
            # What it is for depends on what it is asked: `screener.hand_off_stream` wants hand_off of ingest.
            "ScreenStream": _SCREEN | {Scope.HAND_OFF},
            "FindSimilar": _SCREEN,
            "WatchVerdicts": _READ,
        },
    ),
    **_methods(admin_pb2.DESCRIPTOR.services_by_name["AdminService"], {"Forget": frozenset({Scope.ADMIN})}),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": ANY_KEY,
}
"""By a method's full name the scopes of which a caller needs one."""
