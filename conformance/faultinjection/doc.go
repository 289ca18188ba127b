// Package faultinjection injects faults into plugins at every stage of their lives: before the
// handshake line, before the host connects, idle, in a call, a stream and a brokered call, and
// while stopping. The faults are signals, crashes, closed descriptors, no files left, full and
// read-only directories, and a grandchild that holds the pipes. The plugins are built on Jackfield
// and go-plugin, and use every transport, without TLS and with it.
//
// After each fault the host reports the right error in time, and nothing is left: no process, no
// file, no socket, no goroutine. The tests inject every fault at every stage once; with
// JACKFIELD_SOAK set, as by `make soak`, into every kind of plugin.
package faultinjection
