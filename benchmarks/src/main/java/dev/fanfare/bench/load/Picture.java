package dev.fanfare.bench.load;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws how late publications were over time. */
final class Picture {

    private static final double MILLIS = 1e6;
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 420;

    private final XYChart chart;

    private Picture(XYChart chart) {
        this.chart = chart;
    }

    static Picture of(String title, List<Ledger.Interval> intervals) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("seconds")
                .yAxisTitle("ms from due to received")
                .build();
        chart.getStyler().setYAxisLogarithmic(true).setLegendPosition(LegendPosition.InsideNE);
        List<Ledger.Interval> busy = intervals.stream()
                .filter(interval -> interval.latency().getTotalCount() > 0)
                .toList();
        if (!busy.isEmpty()) {
            draw(chart, "p50", busy, latency -> latency.getValueAtPercentile(50));
            draw(chart, "p99", busy, latency -> latency.getValueAtPercentile(99));
            draw(chart, "max", busy, Histogram::getMaxValue);
        }
        return new Picture(chart);
    }

    private static void draw(
            XYChart chart, String name, List<Ledger.Interval> intervals, ToDoubleFunction<Histogram> nanos) {
        double[] seconds =
                intervals.stream().mapToDouble(Ledger.Interval::seconds).toArray();
        double[] millis = intervals.stream()
                .mapToDouble(interval -> Math.max(1, nanos.applyAsDouble(interval.latency())) / MILLIS)
                .toArray();
        chart.addSeries(name, seconds, millis).setMarker(SeriesMarkers.NONE);
    }

    /** Writes it to a file, as what the name's ending says: {@code .svg} or {@code .png}. */
    void save(Path file) throws IOException {
        String name = file.toString();
        if (name.toLowerCase(Locale.ROOT).endsWith(".png")) {
            BitmapEncoder.saveBitmap(chart, name, BitmapFormat.PNG);
        } else if (name.toLowerCase(Locale.ROOT).endsWith(".svg")) {
            VectorGraphicsEncoder.saveVectorGraphic(chart, name, VectorGraphicsFormat.SVG);
        } else {
            throw new IllegalArgumentException("the name of a picture ends with .svg or .png: " + name);
        }
    }
}
