// Package grpc is the table of contents of the cross tests over gRPC: hosts and
// plugins built on Jackfield against hosts and plugins built on
// hashicorp/go-plugin, as separate processes, in both directions, with plain and
// multiplexed brokers, without TLS and with it. It has no code of its own.
//
//   - ourprobe: the probe of the conformance suite on transport-grpc
//   - ourplugin: the plugin program
//   - theirhost_test.go: a go-plugin host puts our plugin through the scenarios
//   - ourhost_*_test.go: our host, inside the test process, puts go-plugin's
//     plugin and ours through the same, and through what only our host has
//
// The scenarios and the go-plugin side are in conformance/goplugingrpc.
package grpc
