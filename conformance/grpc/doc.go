// Package grpc is the table of contents of the cross tests over gRPC. They run hosts and
// plugins built on Jackfield against hosts and plugins built on hashicorp/go-plugin. They
// run as separate processes, in both directions, with plain and multiplexed brokers, with
// and without TLS. The package has no code of its own.
//
//   - ourprobe: the probe of the conformance suite on transport-grpc
//   - ourplugin: the plugin program
//   - theirhost_test.go: a go-plugin host runs our plugin through the scenarios
//   - ourhost_*_test.go: our host, inside the test process, runs go-plugin's
//     plugin and ours through the same scenarios, and through tests of features
//     that only our host has
//
// The scenarios and the go-plugin side are in conformance/goplugingrpc.
package grpc
