from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('dispatch', '0005_plural'),
    ]

    operations = [
        migrations.AddField(
            model_name='pulse',
            name='oldest_arrival',
            field=models.BigIntegerField(help_text='what the router had to route next: another one now means it moves', null=True),
        ),
    ]
