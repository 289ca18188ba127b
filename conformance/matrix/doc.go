// Package matrix runs every kind of host on every kind of plugin, each a process
// of its own: hosts on Jackfield and go-plugin, plugins on both and in Python and
// JavaScript, over net/rpc and gRPC, plain and multiplexed, without TLS and with
// it. The test prints the matrix. What cannot be is in it too, with its reason, and
// has to be refused at the launch in words.
//
// It goes through all of them with the same few steps; conformance/netrpc, grpc
// and languages go through a few of them thoroughly.
package matrix
