// Figures measures Jackfield against hashicorp/go-plugin, both alternately in the same run.
// It prints the medians and their ratio beside the ratio promised by the project.
//
//	go run ./figures [-quick] [name…]
//
// It fails if a measurement fails, but not if a figure misses its promise: the machine may
// be busy.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// bench is the common state of the measurements.
type bench struct {
	ctx   context.Context
	dir   string // the programs
	quick bool
}

// figure is one line of the table.
type figure struct {
	name   string
	unit   string
	target string // the promise for ours/theirs, or for ours alone
	// measure returns paired samples of ours and theirs, taken alternately.
	measure func(b *bench) (ours, theirs []float64, err error)
}

func figures() []figure {
	return slices.Concat([]figure{
		{"launch", "ms", "ratio at most 0.70", measureLaunch},
		{"call-64B", "µs", "ratio at most 0.95", measureCall},
		{"reader-256MiB", "MiB/s", "ratio at least 1.10", measureReader},
		{"plugin-size", "MB", "ours at most 7.5", measureSize},
		{"close", "ms", "ours: p99 at most 3", measureClose},
		{"orphan", "ms", "ours typically under 100", measureOrphan},
		{"idle-goroutines", "", "ours at most 10", measureIdleGoroutines},
		{"idle-memory", "kB", "ours at most 80", measureIdleMemory},
	}, grpcFigures(), lendingFigures(), tlsFigures(), superviseFigures(), manyFigures())
}

func main() {
	quick := flag.Bool("quick", false, "fewer samples")
	flag.Parse()
	if plugin := os.Getenv(hostVariable); plugin != "" {
		fmt.Fprintln(os.Stderr, "figures:", beKilled(plugin)) // it returns with an error only
		os.Exit(1)
	}
	if side := os.Getenv(manyVariable); side != "" {
		b := &bench{ctx: context.Background(), dir: flag.Arg(0)}
		if err := b.hostMany(b.sides()[side]); err != nil {
			fmt.Fprintln(os.Stderr, "figures:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*quick, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

func run(quick bool, names []string) error {
	dir, err := os.MkdirTemp("", "figures")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{ctx: context.Background(), dir: dir, quick: quick}
	if err := b.build(); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tours\tgo-plugin\tratio\tours p99\tgo-plugin p99\tunit\tpromised")
	for _, f := range figures() {
		if len(names) > 0 && !slices.Contains(names, f.name) {
			continue
		}
		ours, theirs, err := f.measure(b)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		mine, other := quantile(ours, 0.5), quantile(theirs, 0.5)
		fmt.Fprintf(table, "%s\t%.4g\t%.4g\t%.2f\t%.4g\t%.4g\t%s\t%s\n", f.name, mine, other, mine/other,
			quantile(ours, 0.99), quantile(theirs, 0.99), f.unit, f.target)
	}
	return table.Flush()
}

// build builds the plugins, stripped.
func (b *bench) build() error {
	const module = "github.com/jackfield-go/jackfield/conformance/figures/"
	for _, name := range []string{ours, theirs, oursGRPCPlugin, theirsGRPCPluginProgram} {
		command := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.program(name), module+name)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, output)
		}
	}
	return nil
}

// These are the programs, by their folders.
const (
	ours   = "jackfieldplugin"
	theirs = "gopluginplugin"

	oursGRPCPlugin          = "jackfieldgrpcplugin"
	theirsGRPCPluginProgram = "goplugingrpcplugin"
)

func (b *bench) program(name string) string { return filepath.Join(b.dir, name) }

// samples returns the number of samples to take: n, or a tenth of n with -quick.
func (b *bench) samples(n int) int {
	if b.quick {
		return max(n/10, 3)
	}
	return n
}

// quantile returns a quantile of the samples.
func quantile(samples []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// alternate takes n samples of each side alternately.
func alternate(n int, ours, theirs func() (float64, error)) (a, b []float64, err error) {
	for range n {
		for _, side := range []struct {
			measure func() (float64, error)
			samples *[]float64
		}{{ours, &a}, {theirs, &b}} {
			sample, err := side.measure()
			if err != nil {
				return nil, nil, err
			}
			*side.samples = append(*side.samples, sample)
		}
	}
	return a, b, nil
}
