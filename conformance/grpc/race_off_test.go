//go:build !race

package grpc_test

// raceFlags build the peer of ours as the tests are built.
func raceFlags() []string { return nil }
