"""The distributed form: every port on servers that several processes share, and the roles that processes take."""
