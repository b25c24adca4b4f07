@0xe5b1a3c7d9f02468;

struct Point {
  x @0 :Int32;
  y @1 :Int32;
}
