package rules

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	rulesv1 "github.com/jackfield-go/jackfield/conformance/proto/rules/v1"
)

// ruleClient is the rule in the host.
type ruleClient struct {
	rpc    rulesv1.RuleServiceClient
	broker *goplugin.GRPCBroker
}

func (c *ruleClient) Check(text string, findings Findings) (int, error) {
	id := c.broker.NextId()
	served := make(chan *grpc.Server, 1)
	go func() {
		defer close(served)
		c.broker.AcceptAndServe(id, func(opts []grpc.ServerOption) *grpc.Server {
			s := grpc.NewServer(opts...)
			rulesv1.RegisterFindingsServiceServer(s, &findingsServer{findings: findings})
			served <- s
			return s
		})
	}()
	defer func() {
		if s := <-served; s != nil {
			s.Stop()
		}
	}()
	resp, err := c.rpc.Check(context.Background(), &rulesv1.CheckRequest{Text: text, FindingsId: id})
	return int(resp.GetFaults()), err
}

// ruleServer is the rule in the plugin.
type ruleServer struct {
	rulesv1.UnimplementedRuleServiceServer

	rule   Rule
	broker *goplugin.GRPCBroker
}

func (s *ruleServer) Check(_ context.Context, req *rulesv1.CheckRequest) (*rulesv1.CheckResponse, error) {
	conn, err := s.broker.Dial(req.GetFindingsId())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	faults, err := s.rule.Check(req.GetText(), &findingsClient{rpc: rulesv1.NewFindingsServiceClient(conn)})
	if err != nil {
		return nil, err
	}
	return &rulesv1.CheckResponse{Faults: int64(faults)}, nil
}

// findingsClient are the findings in the plugin.
type findingsClient struct{ rpc rulesv1.FindingsServiceClient }

func (c *findingsClient) Report(line int, fault string) error {
	_, err := c.rpc.Report(context.Background(), &rulesv1.ReportRequest{Line: int64(line), Fault: fault})
	return err
}

// findingsServer are the findings in the host.
type findingsServer struct {
	rulesv1.UnimplementedFindingsServiceServer

	findings Findings
}

func (s *findingsServer) Report(_ context.Context, req *rulesv1.ReportRequest) (*rulesv1.ReportResponse, error) {
	return &rulesv1.ReportResponse{}, s.findings.Report(int(req.GetLine()), req.GetFault())
}
