"""Makes users, follows and tweets on a running server through its public interface."""
