// Package rules is the common part of the style checker and its rules, on go-plugin.
package rules

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	rulesv1 "github.com/jackfield-go/jackfield/conformance/proto/rules/v1"
)

// Rule finds faults in a text. A plugin implements it.
type Rule interface {
	Check(text string, findings Findings) (faults int, err error)
}

// Findings receive the faults as a rule finds them. The host implements it.
type Findings interface {
	Report(line int, fault string) error
}

// Name is the name to dispense a rule by.
const Name = "rule"

// Handshake lets a rule check that the style checker started it.
var Handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "STYLE_RULE",
	MagicCookieValue: "5e0c77b1",
}

// Plugins is the plugin set. A plugin passes its rule, a host nil.
func Plugins(rule Rule) goplugin.PluginSet {
	return goplugin.PluginSet{Name: &rulePlugin{rule: rule}}
}

type rulePlugin struct {
	goplugin.NetRPCUnsupportedPlugin

	rule Rule
}

func (p *rulePlugin) GRPCServer(broker *goplugin.GRPCBroker, s *grpc.Server) error {
	rulesv1.RegisterRuleServiceServer(s, &ruleServer{rule: p.rule, broker: broker})
	return nil
}

func (p *rulePlugin) GRPCClient(
	_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn,
) (any, error) {
	return &ruleClient{rpc: rulesv1.NewRuleServiceClient(conn), broker: broker}, nil
}
