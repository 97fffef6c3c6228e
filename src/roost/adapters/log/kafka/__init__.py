"""The log on Kafka: one topic whose partitions are by the user whom a fact is about."""
