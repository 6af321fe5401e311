"""Words only: nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0006_route_movement")]

    operations = [
        migrations.AlterField(
            model_name="backlogsample",
            name="oldest_at",
            field=models.DateTimeField(help_text="since when the oldest of them is due"),
        ),
        migrations.AlterModelOptions(
            name="tenantshare",
            options={"verbose_name": "tenant share"},
        ),
    ]
