// Package rules is what the style checker and its rules share, on Jackfield.
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

// Findings take the faults as they are found. The host implements it.
type Findings interface {
	Report(ctx context.Context, line int, fault string) error
}

// Name is the name by which a rule is dispensed.
const Name = "rule"

// Handshake is how a rule knows that the style checker started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "STYLE_RULE",
	MagicCookieValue: "5e0c77b1",
}

// Versions are the protocol versions. A plugin passes its rule, a host nil.
func Versions(rule Rule) core.Versions {
	return core.Versions{
		1: {transportgrpc.New(transportgrpc.PluginSet{Name: rulePlugin{rule}})},
	}
}

type rulePlugin struct{ rule Rule }

func (p rulePlugin) Server(broker *transportgrpc.Broker, s grpc.ServiceRegistrar) error {
	rulesv1.RegisterRuleServiceServer(s, &ruleServer{rule: p.rule, broker: broker})
	return nil
}

func (rulePlugin) Client(broker *transportgrpc.Broker, conn grpc.ClientConnInterface) (any, error) {
	return &ruleClient{rpc: rulesv1.NewRuleServiceClient(conn), broker: broker}, nil
}
