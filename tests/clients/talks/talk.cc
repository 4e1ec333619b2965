// A conversation with Holdfast by grpc++, a line for each step: talk ADDRESS CA ORDERS GOODS LOCKED RELUCTANT.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "connect.h"
#include "google/rpc/status.pb.h"
#include "health/v1/health.grpc.pb.h"
#include "inventory/v1/inventory.grpc.pb.h"

using namespace inventory::v1;

// Where nothing is to be late, however busy the machine is.
constexpr int kPatientMs = 30000;

// A context with a deadline, for one call.
struct Within : grpc::ClientContext {
  explicit Within(int ms) { set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(ms)); }
};

void must(const grpc::Status& status) {
  if (status.ok()) return;
  std::cerr << status.error_code() << " " << status.error_message() << std::endl;
  std::exit(1);
}

std::string code(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::FAILED_PRECONDITION: return "FAILED_PRECONDITION";
    case grpc::StatusCode::DEADLINE_EXCEEDED: return "DEADLINE_EXCEEDED";
    default: return std::to_string(status.error_code());
  }
}

SellRequest order(const std::string& id, int goods, int num) {
  SellRequest request;
  request.set_order_id(id);
  Line* line = request.add_goods_info();
  line->set_goods_id(goods);
  line->set_num(num);
  return request;
}

InvDetailResponse detail(InventoryService::Stub& stub, int goods, int ms) {
  Within context(ms);
  InvDetailRequest request;
  request.set_goods_id(goods);
  InvDetailResponse answer;
  must(stub.InvDetail(&context, request, &answer));
  return answer;
}

SellResponse sell(InventoryService::Stub& stub, const SellRequest& request) {
  Within context(kPatientMs);
  SellResponse answer;
  must(stub.Sell(&context, request, &answer));
  return answer;
}

void talk(const std::shared_ptr<grpc::Channel>& channel, const std::string& orders, int goods, int locked) {
  InventoryService::Stub stub(channel);
  {
    Within context(kPatientMs);
    grpc::health::v1::HealthCheckResponse answer;
    must(grpc::health::v1::Health::Stub(channel).Check(&context, {}, &answer));
    std::cout << "health " << grpc::health::v1::HealthCheckResponse::ServingStatus_Name(answer.status()) << std::endl;
  }
  {
    Within context(kPatientMs);
    SetInvRequest request;
    request.set_goods_id(goods);
    request.set_num(10);
    SetInvResponse answer;
    must(stub.SetInv(&context, request, &answer));
    std::cout << "set " << answer.num() << std::endl;
  }
  const SellResponse first = sell(stub, order(orders + "-1", goods, 3));
  std::cout << "sold " << first.goods_info(0).num() << std::endl;
  const SellResponse again = sell(stub, order(orders + "-1", goods, 3));
  SellResponse expected = first;
  expected.set_replayed(true);
  const bool same = expected.SerializeAsString() == again.SerializeAsString();
  std::cout << "again " << (same ? "the same" : "another") << std::endl;
  const InvDetailResponse left = detail(stub, goods, kPatientMs);
  std::cout << "left " << left.num() << " version " << left.version() << std::endl;
  {
    Within context(kPatientMs);
    SellResponse answer;
    const grpc::Status status = stub.Sell(&context, order(orders + "-2", goods, 99), &answer);
    google::rpc::Status whole;
    whole.ParseFromString(status.error_details());
    ShortStock shortage;
    for (const auto& any : whole.details()) {
      if (!any.UnpackTo(&shortage)) continue;
      std::cout << "short " << code(status) << " asked " << shortage.asked() << " available " << shortage.available()
                << std::endl;
    }
  }
  {
    Within context(kPatientMs);
    RollbackRequest request;
    request.set_order_id(orders + "-1");
    RollbackResponse answer;
    must(stub.Rollback(&context, request, &answer));
    std::cout << "back " << answer.goods_info(0).num() << std::endl;
  }
  // Longer than the server's own longest.
  std::cout << "patient " << detail(stub, goods, 300000).num() << std::endl;
  Within context(200);
  SellResponse answer;
  std::cout << "late " << code(stub.Sell(&context, order(orders + "-3", locked, 1), &answer)) << std::endl;
}

int main(int, char** args) {
  talk(connect(args[1], args[2]), args[3], std::atoi(args[4]), std::atoi(args[5]));
  InventoryService::Stub reluctant(connect(args[6], ""));
  std::cout << "retried " << detail(reluctant, 1, 20000).num() << std::endl;
}
