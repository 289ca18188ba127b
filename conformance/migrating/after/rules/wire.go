package rules

import (
	"context"

	rulesv1 "github.com/jackfield-go/jackfield/conformance/proto/rules/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// ruleClient is the rule in the host.
type ruleClient struct {
	rpc    rulesv1.RuleServiceClient
	broker *transportgrpc.Broker
}

func (c *ruleClient) Check(ctx context.Context, text string, findings Findings) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the plugin can report as long as this call takes
	id, err := transportgrpc.Lend[rulesv1.FindingsServiceServer](
		ctx, c.broker, rulesv1.RegisterFindingsServiceServer, &findingsServer{findings: findings})
	if err != nil {
		return 0, err
	}
	resp, err := c.rpc.Check(ctx, &rulesv1.CheckRequest{Text: text, FindingsId: id})
	return int(resp.GetFaults()), err
}

// ruleServer is the rule in the plugin.
type ruleServer struct {
	rulesv1.UnimplementedRuleServiceServer

	rule   Rule
	broker *transportgrpc.Broker
}

func (s *ruleServer) Check(ctx context.Context, req *rulesv1.CheckRequest) (*rulesv1.CheckResponse, error) {
	rpc, err := transportgrpc.Borrow(ctx, s.broker, req.GetFindingsId(), rulesv1.NewFindingsServiceClient)
	if err != nil {
		return nil, err
	}
	faults, err := s.rule.Check(ctx, req.GetText(), &findingsClient{rpc: rpc})
	if err != nil {
		return nil, err
	}
	return &rulesv1.CheckResponse{Faults: int64(faults)}, nil
}

// findingsClient are the findings in the plugin.
type findingsClient struct{ rpc rulesv1.FindingsServiceClient }

func (c *findingsClient) Report(ctx context.Context, line int, fault string) error {
	_, err := c.rpc.Report(ctx, &rulesv1.ReportRequest{Line: int64(line), Fault: fault})
	return err
}

// findingsServer are the findings in the host.
type findingsServer struct {
	rulesv1.UnimplementedFindingsServiceServer

	findings Findings
}

func (s *findingsServer) Report(ctx context.Context, req *rulesv1.ReportRequest) (*rulesv1.ReportResponse, error) {
	return &rulesv1.ReportResponse{}, s.findings.Report(ctx, int(req.GetLine()), req.GetFault())
}
