"""The public interface, over HTTP and WebSocket, against a running roost."""
