// The article's inventory service in Go, to be measured beside Holdfast: grpc-go, database/sql with lib/pq, and a
// Redlock over five Redis by redigo. A sale is a lease of each of its goods, one transaction, and the unlocking. It has
// neither orders nor a ledger, so a retry sells again.
//
// Settings are in the environment: DATABASE_URL, and REDIS_URLS with commas between them. Its first line says where it
// listens.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"

	"peer/article"
)

func main() {
	shelf, err := openShelf(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal("the database: ", err)
	}
	lock := newRedlock(strings.Split(os.Getenv("REDIS_URLS"), ","))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal("the port: ", err)
	}
	server := grpc.NewServer()
	article.RegisterInventoryServer(server, &inventory{shelf, lock})
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
