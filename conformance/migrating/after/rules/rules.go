// Package rules is the common part of the style checker and its rules, on Jackfield.
package rules

import (
	"context"

	"google.golang.org/grpc"

	rulesv1 "github.com/jackfield-go/jackfield/conformance/proto/rules/v1"
	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Rule finds faults in a text. A plugin implements it.
type Rule interface {
	Check(ctx context.Context, text string, findings Findings) (faults int, err error)
}

// Findings receive the faults as a rule finds them. The host implements it.
type Findings interface {
	Report(ctx context.Context, line int, fault string) error
}

// Plugin is the name of a rule and its type, for hosts and plugins.
var Plugin = core.Define[Rule]("rule")

// Handshake lets a rule check that the style checker started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "STYLE_RULE",
	MagicCookieValue: "5e0c77b1",
}

// Versions are the protocol versions.
var Versions = core.Versions{
	1: {transportgrpc.New(transportgrpc.Carry(Plugin, register, newClient))},
}

func register(broker *transportgrpc.Broker, s grpc.ServiceRegistrar, rule Rule) error {
	rulesv1.RegisterRuleServiceServer(s, &ruleServer{rule: rule, broker: broker})
	return nil
}

func newClient(broker *transportgrpc.Broker, conn grpc.ClientConnInterface) (Rule, error) {
	return &ruleClient{rpc: rulesv1.NewRuleServiceClient(conn), broker: broker}, nil
}
