import { assertEquals } from "@std/assert";
import { ownHosts } from "../../src/transport/own_names.ts";

Deno.test("a host is ours where nobody else can have given it to this machine", () => {
  const isOwn = ownHosts(["stock.example"]);
  const ours = [
    undefined,
    "",
    "localhost",
    "localhost:8080",
    "LOCALHOST:8080",
    "app.localhost",
    "127.0.0.1:8080",
    "10.0.0.7",
    "[::1]:8080",
    "stock.example",
    "Stock.Example:443",
  ];
  const others = [
    "rebound.example",
    "rebound.example:8080",
    "a.stock.example",
    "stock.example.rebound.example",
    "localhost.rebound.example",
    "127.0.0.1.rebound.example",
    "localhost@rebound.example",
    "localhost:8080@rebound.example",
    "rebound.example#localhost",
    "rebound.example?localhost",
    "localhost.",
    "not a host",
    "[::1",
  ];
  assertEquals(ours.filter((host) => !isOwn(host)), []);
  assertEquals(others.filter(isOwn), []);
});
