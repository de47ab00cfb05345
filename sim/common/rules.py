"""Properties that many units share: handshake of streams, order, rules of AXI4-Lite."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Mux, Signal, Value
from amaranth.lib import stream as streams
from amaranth.lib import wiring

__all__ = ["assume_stream_rules", "axi_lite_rules", "follow", "handshake", "stream_rules"]


def stream_rules(h, stream, name, unless=0):
    """Prove that a producer keeps the handshake: what is offered stays, unchanged, until it is taken.

    Parameters
    ----------
    h : Harness
    stream : interface of stream.Signature
    name : str
        For the texts of the assertions.
    unless : Value
        The producer may withdraw its offer in the next cycle, e.g. because it is told to start afresh.
    """
    for what, broken in _broken(h, stream, name, unless).items():
        h.prove(~broken, f"{name}: {what} until ready")


def assume_stream_rules(h, stream, name):
    """Look only at producers that keep the handshake on an input of the unit. Arguments as :func:`stream_rules`."""
    for broken in _broken(h, stream, f"{name}_in", 0).values():
        h.assume(~broken)


def _broken(h, stream, name, unless):
    valid, payload = Value.cast(stream.valid), Value.cast(stream.payload)
    waits = h.past(valid & ~Value.cast(stream.ready) & ~Value.cast(unless), f"{name}_waits")
    before = h.past(payload, f"{name}_before")
    return {"valid stays": waits & ~valid, "payload stays": waits & valid & (payload != before)}


def follow(h, i, o, capacity, latency=1, becomes=None):
    """Prove that what goes into ``i`` comes out of ``o`` in that order, and that nothing is lost, doubled or invented.

    The solver picks one item as it enters; counters of the harness say when it must leave.

    Parameters
    ----------
    h : Harness
    i, o : interfaces of stream.Signature, or anything with ``valid``, ``ready`` and ``payload``
    capacity : int
        Items that may be inside.
    latency : int
        Cycles from an item's entry until it must be offered, unless others are. 0: it may leave as it enters.
    becomes : callable
        ``becomes(payload)`` is what leaves when ``payload`` has entered. By default the same.

    Returns
    -------
    inside : Signal
        Items inside, ``range(capacity + 1)``.
    """
    m = h.m
    inside = Signal(range(capacity + 1), name="follow_inside")
    late = Signal(range(latency + 2), name="follow_late")
    due = Signal(range(capacity + 2), name="follow_due")
    ahead = Signal(range(capacity + 1), name="follow_ahead")
    chosen = Signal(name="follow_chosen")
    left = Signal(name="follow_left")
    put = Signal(name="follow_put")
    get = Signal(name="follow_get")
    choose = h.free("choose")
    payload = Value.cast(i.payload)
    item = h.constant("item", getattr(i.payload, "shape", payload.shape)())
    m.d.comb += [put.eq(i.valid & i.ready), get.eq(o.valid & o.ready), due.eq(inside + (put if latency == 0 else 0))]
    m.d.sync += [inside.eq(inside + put - get), late.eq(Mux((due != 0) & ~o.valid, late + 1, 0))]

    # At most one item is chosen, and its payload is known beforehand.
    h.assume(~choose | (put & ~chosen & (payload == Value.cast(item))))
    ahead_now = Mux(choose, inside, ahead)
    leaves = (choose | (chosen & ~left)) & (ahead_now == 0) & o.valid
    with m.If(choose):
        m.d.sync += chosen.eq(1)
    with m.If(choose | (chosen & ~left)):
        m.d.sync += [ahead.eq(ahead_now - get), left.eq((ahead_now == 0) & get)]
    expected = Value.cast(becomes(item) if becomes else item)
    h.prove(~leaves | (Value.cast(o.payload) == expected), "the item leaves in its turn")
    h.prove(~o.valid | (due != 0), "nothing leaves that did not enter")
    h.prove(~put | (inside != capacity) | get, "no more enters than fits")
    h.prove(late < max(latency, 1), "what is inside is offered")
    h.reach(left, "an item passes")
    return inside


def handshake(h, component, assume=True):
    """Prove the handshake on every output stream of any unit, given that its input streams keep it.

    Reaches a transfer and a wait on every output stream that is not always ready.

    Returns
    -------
    component
        So that the caller can restrict its other inputs.
    """
    h.place("unit", component)
    outputs = 0
    for name, member in component.signature.members.items():
        if not (member.is_signature and isinstance(member.signature, streams.Signature)):
            continue
        port = getattr(component, name)
        if member.flow == wiring.In:
            if assume:
                assume_stream_rules(h, port, name)
        elif not member.signature.always_ready:
            outputs += 1
            stream_rules(h, port, name)
            h.reach(port.valid & port.ready, f"{name}: a transfer")
            h.reach(port.valid & ~port.ready, f"{name}: a wait")
    if not outputs:
        raise ValueError(f"component must have an output stream that can wait, not {type(component).__name__}")
    return component


def axi_lite_rules(h, bus, *, waiting, latency):
    """Prove that an AXI4-Lite slave keeps the rules of AXI, given a master that does.

    Offered answers stay; every answer belongs to requests that were accepted, and comes within ``latency`` cycles once
    the answer before it is out of the way.

    Parameters
    ----------
    h : Harness
    bus : interface of AxiLiteSignature
    waiting : int
        Requests of one kind that may be accepted and not yet answered.
    latency : int
        Cycles from the later of address and data to the answer.
    """
    for name, payload in ("aw", ("awaddr", "awprot")), ("w", ("wdata", "wstrb")), ("ar", ("araddr", "arprot")):
        assume_stream_rules(h, _channel(bus, name, payload), name)
    for name, payload in ("b", ("bresp",)), ("r", ("rdata", "rresp")):
        stream_rules(h, _channel(bus, name, payload), name)
    for name, requests in ("b", ("aw", "w")), ("r", ("ar",)):
        valid, ready = getattr(bus, f"{name}valid"), getattr(bus, f"{name}ready")
        complete = 1
        for request in requests:
            accepted = getattr(bus, f"{request}valid") & getattr(bus, f"{request}ready")
            unanswered = Signal(range(waiting + 2), name=f"{request}_unanswered")
            h.m.d.sync += unanswered.eq(unanswered + accepted - (valid & ready))
            h.prove(~valid | (unanswered != 0), f"{name}: no answer without {request}")
            h.prove(unanswered <= waiting, f"{name}: at most {waiting} of {request} unanswered")
            complete &= unanswered != 0
        late = Signal(range(latency + 1), name=f"{name}_late")
        with h.m.If(complete & ~valid):
            h.m.d.sync += late.eq(late + 1)
        with h.m.Else():
            h.m.d.sync += late.eq(0)
        h.prove(late < latency, f"{name}: answered in time")
        h.reach(valid & (unanswered == waiting), f"{name}: an answer waits, and a request behind it")


def _channel(bus, name, payload):
    """One channel of AXI as if it were a stream."""
    return SimpleNamespace(valid=getattr(bus, f"{name}valid"), ready=getattr(bus, f"{name}ready"),
                           payload=Cat(getattr(bus, field) for field in payload))
