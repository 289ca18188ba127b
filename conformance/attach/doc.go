// Package attach tests hosts that attach to running plugins (protocol §9), with
// hashicorp/go-plugin on either side, over net/rpc and gRPC: to plugins that another host
// launched, and to plugins in test mode.
package attach
