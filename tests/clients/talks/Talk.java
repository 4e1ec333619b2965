import com.google.protobuf.Any;
import com.google.rpc.Status;
import inventory.v1.Inventory.InvDetailRequest;
import inventory.v1.Inventory.InvDetailResponse;
import inventory.v1.Inventory.Line;
import inventory.v1.Inventory.RollbackRequest;
import inventory.v1.Inventory.SellRequest;
import inventory.v1.Inventory.SellResponse;
import inventory.v1.Inventory.SetInvRequest;
import inventory.v1.Inventory.ShortStock;
import inventory.v1.InventoryServiceGrpc;
import inventory.v1.InventoryServiceGrpc.InventoryServiceBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import java.util.concurrent.TimeUnit;

/** A conversation with Holdfast by grpc-java, a line for each step: Talk ADDRESS CA ORDERS GOODS LOCKED RELUCTANT. */
class Talk {
  /** Where nothing is to be late, however busy the machine is. */
  static final int PATIENT_MS = 30_000;

  static SellRequest order(String id, int goods, int num) {
    Line line = Line.newBuilder().setGoodsId(goods).setNum(num).build();
    return SellRequest.newBuilder().setOrderId(id).addGoodsInfo(line).build();
  }

  static InventoryServiceBlockingStub within(ManagedChannel channel, int ms) {
    return InventoryServiceGrpc.newBlockingStub(channel).withDeadlineAfter(ms, TimeUnit.MILLISECONDS);
  }

  static InvDetailResponse detail(ManagedChannel channel, int goods, int ms) {
    return within(channel, ms).invDetail(InvDetailRequest.newBuilder().setGoodsId(goods).build());
  }

  static void say(Object... words) {
    StringBuilder line = new StringBuilder();
    for (Object word : words) line.append(line.length() == 0 ? "" : " ").append(word);
    System.out.println(line);
  }

  static void talk(ManagedChannel channel, String orders, int goods, int locked) throws Exception {
    HealthGrpc.HealthBlockingStub health =
        HealthGrpc.newBlockingStub(channel).withDeadlineAfter(PATIENT_MS, TimeUnit.MILLISECONDS);
    say("health", health.check(HealthCheckRequest.getDefaultInstance()).getStatus());
    SetInvRequest ten = SetInvRequest.newBuilder().setGoodsId(goods).setNum(10).build();
    say("set", within(channel, PATIENT_MS).setInv(ten).getNum());
    SellResponse first = within(channel, PATIENT_MS).sell(order(orders + "-1", goods, 3));
    say("sold", first.getGoodsInfo(0).getNum());
    SellResponse again = within(channel, PATIENT_MS).sell(order(orders + "-1", goods, 3));
    say("again", again.equals(first.toBuilder().setReplayed(true).build()) ? "the same" : "another");
    InvDetailResponse left = detail(channel, goods, PATIENT_MS);
    say("left", left.getNum(), "version", left.getVersion());
    try {
      within(channel, PATIENT_MS).sell(order(orders + "-2", goods, 99));
    } catch (StatusRuntimeException error) {
      Status status = StatusProto.fromThrowable(error);
      for (Any any : status.getDetailsList()) {
        if (!any.is(ShortStock.class)) continue;
        ShortStock shortage = any.unpack(ShortStock.class);
        say("short", error.getStatus().getCode(), "asked", shortage.getAsked(), "available", shortage.getAvailable());
      }
    }
    RollbackRequest whole = RollbackRequest.newBuilder().setOrderId(orders + "-1").build();
    say("back", within(channel, PATIENT_MS).rollback(whole).getGoodsInfo(0).getNum());
    // Longer than the server's own longest.
    say("patient", detail(channel, goods, 300_000).getNum());
    try {
      within(channel, 200).sell(order(orders + "-3", locked, 1));
      say("late OK");
    } catch (StatusRuntimeException error) {
      say("late", error.getStatus().getCode());
    }
  }

  public static void main(String[] args) throws Exception {
    ManagedChannel channel = Connect.connect(args[0], args[1]);
    talk(channel, args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4]));
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    ManagedChannel reluctant = Connect.connect(args[5], "");
    say("retried", detail(reluctant, 1, 20_000).getNum());
    reluctant.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }
}
