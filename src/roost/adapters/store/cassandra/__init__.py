"""The stores in Apache Cassandra: every method reads and writes by partition key."""
