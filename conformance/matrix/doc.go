// Package matrix runs every kind of host on every kind of plugin, each in its own process.
// Hosts and plugins are built on Jackfield and go-plugin, and in Python and JavaScript with
// the helper files of the examples. They use net/rpc and gRPC, plain and multiplexed, with
// and without TLS. The test prints the matrix. It includes impossible combinations with
// their reasons; the launch must refuse them with an explanation.
//
// It runs all combinations with the same few steps. conformance/netrpc, grpc and languages
// test a few combinations thoroughly.
package matrix
