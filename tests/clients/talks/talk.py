"""A conversation with Holdfast by grpcio, a line for each step: talk.py ADDRESS CA ORDERS GOODS LOCKED RELUCTANT [SOLD]."""
import sys

import grpc
from google.rpc import status_pb2
from health.v1 import health_pb2, health_pb2_grpc
from inventory.v1 import inventory_pb2 as pb, inventory_pb2_grpc, watch_pb2, watch_pb2_grpc

from connect import connect
from watch import watch


def details(error, kind):
    """The details of an error that are of this kind."""
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    for detail in status.details:
        message = kind()
        if detail.Unpack(message):
            yield message


def code(call):
    try:
        call()
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


# Where nothing is to be late, however busy the machine is.
PATIENT_S = 30


def order(order_id, goods, num):
    return pb.SellRequest(order_id=order_id, goods_info=[pb.Line(goods_id=goods, num=num)])


def talk(channel, orders, goods, locked):
    stub = inventory_pb2_grpc.InventoryServiceStub(channel)
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENT_S)
    print("health", health_pb2.HealthCheckResponse.ServingStatus.Name(health.status))
    print("set", stub.SetInv(pb.SetInvRequest(goods_id=goods, num=10), timeout=PATIENT_S).num)
    first = stub.Sell(order(f"{orders}-1", goods, 3), timeout=PATIENT_S)
    print("sold", first.goods_info[0].num)
    again = stub.Sell(order(f"{orders}-1", goods, 3), timeout=PATIENT_S)
    first.replayed = True
    print("again", "the same" if again == first else "another")
    left = stub.InvDetail(pb.InvDetailRequest(goods_id=goods), timeout=PATIENT_S)
    print("left", left.num, "version", left.version)
    try:
        stub.Sell(order(f"{orders}-2", goods, 99), timeout=PATIENT_S)
    except grpc.RpcError as error:
        for short in details(error, pb.ShortStock):
            print("short", error.code().name, "asked", short.asked, "available", short.available)
    back = stub.Rollback(pb.RollbackRequest(order_id=f"{orders}-1"), timeout=PATIENT_S)
    print("back", back.goods_info[0].num)
    # Longer than the server's own longest.
    print("patient", stub.InvDetail(pb.InvDetailRequest(goods_id=goods), timeout=300).num)
    print("late", code(lambda: stub.Sell(order(f"{orders}-3", locked, 1), timeout=0.2)))


class Seen:
    """Watches a goods that is being sold until its stream has been taken up again; versions come one by one."""

    def __init__(self):
        self.version = None
        self.resumed = False
        self.starts = []

    def take(self, message):
        event = message.WhichOneof("event")
        if event == "started":
            start = watch_pb2.WatchStart.Name(message.started.start)
            # A stream may end before it has brought a token.
            if start not in self.starts:
                print("watch", start)
            self.starts.append(start)
            self.resumed = start == "WATCH_START_RESUMED"
        if event == "snapshot":
            self.version = message.snapshot.levels[0].version
        for change in message.changes.changes if event == "changes" else []:
            if change.level.version != self.version + 1 + change.folded:
                raise Exception(f"{change} after version {self.version}")
            self.version = change.level.version
            if self.resumed:
                raise StopIteration


address, ca, orders, goods, locked, reluctant, sold = sys.argv[1:]
with connect(address, ca) as channel:
    talk(channel, orders, int(goods), int(locked))
with connect(reluctant, "") as channel:
    stub = inventory_pb2_grpc.InventoryServiceStub(channel)
    print("retried", stub.InvDetail(pb.InvDetailRequest(goods_id=1), timeout=20).num)
with connect(address, ca) as channel:
    stub = watch_pb2_grpc.WatchServiceStub(channel)
    try:
        watch(stub.WatchInv, watch_pb2.WatchInvRequest(goods_ids=[int(sold)]), Seen().take)
    except StopIteration:
        print("watched without a gap")
