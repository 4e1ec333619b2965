// A conversation with Holdfast by grpc-go, a line for each step: talk ADDRESS CA ORDERS GOODS LOCKED RELUCTANT.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	pb "inventory/v1"
)

func within(limit time.Duration) context.Context {
	// It ends by itself, as this program does soon after.
	ctx, _ := context.WithTimeout(context.Background(), limit)
	return ctx
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func order(id string, goods int32, num int32) *pb.SellRequest {
	return &pb.SellRequest{OrderId: id, GoodsInfo: []*pb.Line{{GoodsId: goods, Num: num}}}
}

// The code as it is written elsewhere: DEADLINE_EXCEEDED for DeadlineExceeded.
func code(err error) string {
	var words strings.Builder
	for i, letter := range status.Code(err).String() {
		if i > 0 && letter < 'a' {
			words.WriteByte('_')
		}
		words.WriteRune(letter)
	}
	return strings.ToUpper(words.String())
}

func number(text string) int32 {
	value, err := strconv.Atoi(text)
	must(err)
	return int32(value)
}

func connected(address, ca string) *grpc.ClientConn {
	connection, err := connect(address, ca)
	must(err)
	return connection
}

func talk(connection *grpc.ClientConn, orders string, goods, locked int32) {
	defer connection.Close()
	stub := pb.NewInventoryServiceClient(connection)
	// Where nothing is to be late, however busy the machine is.
	limit := 30 * time.Second
	checked, err := health.NewHealthClient(connection).Check(within(limit), &health.HealthCheckRequest{})
	must(err)
	fmt.Println("health", checked.Status)
	set, err := stub.SetInv(within(limit), &pb.SetInvRequest{GoodsId: goods, Num: 10})
	must(err)
	fmt.Println("set", set.Num)
	first, err := stub.Sell(within(limit), order(orders+"-1", goods, 3))
	must(err)
	fmt.Println("sold", first.GoodsInfo[0].Num)
	again, err := stub.Sell(within(limit), order(orders+"-1", goods, 3))
	must(err)
	first.Replayed = true
	fmt.Println("again", map[bool]string{true: "the same", false: "another"}[first.String() == again.String()])
	left, err := stub.InvDetail(within(limit), &pb.InvDetailRequest{GoodsId: goods})
	must(err)
	fmt.Println("left", left.Num, "version", left.Version)
	_, err = stub.Sell(within(limit), order(orders+"-2", goods, 99))
	for _, detail := range status.Convert(err).Details() {
		if short, ok := detail.(*pb.ShortStock); ok {
			fmt.Println("short", code(err), "asked", short.Asked, "available", short.Available)
		}
	}
	back, err := stub.Rollback(within(limit), &pb.RollbackRequest{OrderId: orders + "-1"})
	must(err)
	fmt.Println("back", back.GoodsInfo[0].Num)
	// Longer than the server's own longest.
	patient, err := stub.InvDetail(within(5*time.Minute), &pb.InvDetailRequest{GoodsId: goods})
	must(err)
	fmt.Println("patient", patient.Num)
	_, err = stub.Sell(within(200*time.Millisecond), order(orders+"-3", locked, 1))
	fmt.Println("late", code(err))
}

func main() {
	talk(connected(os.Args[1], os.Args[2]), os.Args[3], number(os.Args[4]), number(os.Args[5]))
	reluctant := connected(os.Args[6], "")
	defer reluctant.Close()
	detail, err := pb.NewInventoryServiceClient(reluctant).InvDetail(within(20*time.Second), &pb.InvDetailRequest{GoodsId: 1})
	must(err)
	fmt.Println("retried", detail.Num)
}
