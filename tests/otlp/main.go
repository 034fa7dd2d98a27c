// Sends a profile as the OpenTelemetry Collector does: with its own OTLP/HTTP exporter.
//
//	otlp --endpoint http://127.0.0.1:4040 --encoding proto|json --compression gzip|none --service NAME --samples N
//
// N samples of main;work, each a period of 10 ms of CPU time, with a thread, a span and a trace. Prints "sent", or why
// the exporter gave up.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/exporter/xexporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pprofile"
)

const period = 10_000_000

// Index of the text in the table of the dictionary.
func text(d pprofile.ProfilesDictionary, s string) int32 {
	i, err := pprofile.SetString(d.StringTable(), s)
	if err != nil {
		panic(err)
	}
	return i
}

// A location with one line of that function.
func location(d pprofile.ProfilesDictionary, name, file string, line int64) int32 {
	f := d.FunctionTable().AppendEmpty()
	f.SetNameStrindex(text(d, name))
	f.SetFilenameStrindex(text(d, file))
	l := d.LocationTable().AppendEmpty().Lines().AppendEmpty()
	l.SetFunctionIndex(int32(d.FunctionTable().Len() - 1))
	l.SetLine(line)
	return int32(d.LocationTable().Len() - 1)
}

func profiles(service string, samples int64) pprofile.Profiles {
	all := pprofile.NewProfiles()
	d := all.Dictionary()
	d.StringTable().Append("")
	d.MappingTable().AppendEmpty()
	d.LocationTable().AppendEmpty()
	d.FunctionTable().AppendEmpty()
	d.LinkTable().AppendEmpty()
	d.AttributeTable().AppendEmpty()
	d.StackTable().AppendEmpty()

	stack := d.StackTable().AppendEmpty()
	stack.LocationIndices().Append(location(d, "work", "Main.java", 12), location(d, "main", "Main.java", 3))
	link := d.LinkTable().AppendEmpty()
	link.SetTraceID(pcommon.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	link.SetSpanID(pcommon.SpanID{0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18})
	attribute := d.AttributeTable().AppendEmpty()
	attribute.SetKeyStrindex(text(d, "thread.name"))
	attribute.Value().SetStr("pool-1")

	resource := all.ResourceProfiles().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	resource.Resource().Attributes().PutStr("k8s.pod.name", service+"-1")
	p := resource.ScopeProfiles().AppendEmpty().Profiles().AppendEmpty()
	p.SampleType().SetTypeStrindex(text(d, "samples"))
	p.SampleType().SetUnitStrindex(text(d, "count"))
	p.PeriodType().SetTypeStrindex(text(d, "cpu"))
	p.PeriodType().SetUnitStrindex(text(d, "nanoseconds"))
	p.SetPeriod(period)
	p.SetTime(pcommon.NewTimestampFromTime(time.Now().Add(-time.Second)))
	p.SetDurationNano(uint64(time.Second))
	s := p.Samples().AppendEmpty()
	s.SetStackIndex(1)
	s.SetLinkIndex(1)
	s.AttributeIndices().Append(1)
	s.Values().Append(samples - 1)
	timed := p.Samples().AppendEmpty() // without a value: its times count
	timed.SetStackIndex(1)
	timed.TimestampsUnixNano().Append(uint64(time.Now().UnixNano()))
	return all
}

func send(endpoint, encoding, compression, service string, samples int64) error {
	factory := otlphttpexporter.NewFactory()
	config := factory.CreateDefaultConfig().(*otlphttpexporter.Config)
	config.ClientConfig.Endpoint = endpoint
	config.ClientConfig.Compression = configcompression.Type(compression)
	config.Encoding = otlphttpexporter.EncodingType(encoding)
	config.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	config.RetryConfig.Enabled = false
	settings := exporter.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
		BuildInfo:         component.NewDefaultBuildInfo(),
	}
	ctx := context.Background()
	e, err := factory.(xexporter.Factory).CreateProfiles(ctx, settings, config)
	if err != nil {
		return err
	}
	if err := e.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	defer e.Shutdown(ctx)
	return e.ConsumeProfiles(ctx, profiles(service, samples))
}

func main() {
	endpoint := flag.String("endpoint", "http://127.0.0.1:4040", "address of the store")
	encoding := flag.String("encoding", "proto", "proto or json")
	compression := flag.String("compression", "gzip", "gzip or none")
	service := flag.String("service", "shop", "service.name")
	samples := flag.Int64("samples", 100, "samples of main;work")
	flag.Parse()
	if err := send(*endpoint, *encoding, *compression, *service, *samples); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("sent")
}
