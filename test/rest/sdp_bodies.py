"""What Schemathesis cannot write by itself: bodies that are neither JSON nor a form. Named by SCHEMATHESIS_HOOKS."""
import schemathesis


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def sdp(ctx, value):
    return value.encode() if isinstance(value, str) else str(value).encode()
